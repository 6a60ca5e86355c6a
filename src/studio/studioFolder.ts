/** Where a studio keeps what it knows, and where it listens for a second terminal. */
import { join } from "node:path";

/** REAGENT_STUDIO, else `.reagent/studio` below the folder that one is in. */
export const defaultStudioFolder = (env: Readonly<Record<string, string | undefined>>, cwd = process.cwd()): string =>
  env["REAGENT_STUDIO"] ?? join(cwd, ".reagent", "studio");

export const studioSocket = (folder: string): string => join(folder, "studio.sock");
