/** The stage of a test: on the engine and the registry of this run. */
import { inject } from "vitest";
import { openStage, type StageOptions } from "../support/stage.ts";

export * from "../support/stage.ts";

export const startStage = (options: Omit<StageOptions, "engineSocket" | "registry"> & { registry?: string } = {}) =>
  openStage({ engineSocket: inject("socketPath"), registry: inject("registry"), ...options });
