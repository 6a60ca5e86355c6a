/** The agent's settings: `settings.json` in its home, and the environment. */
import { join } from "node:path";
import { type Environment, readSettings, type Settings } from "../model/settings.ts";
import { readSmallFile } from "./smallFile.ts";

/** @throws {AgentError} bad_settings */
export async function settingsIn(home: string, env: Environment, defaults: Partial<Settings> = {}): Promise<Settings> {
  return readSettings(await readSmallFile(join(home, "settings.json"), "bad_settings"), env, defaults);
}
