/** One Docker engine and one registry for all tests that need real ones; nothing of them is left afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEngine } from "../../src/studio/dockerd.ts";
import { startRegistry } from "../../src/studio/registry.ts";

declare module "vitest" {
  export interface ProvidedContext {
    socketPath: string;
    registry: string;
    engineFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "rg-"));
  const engineFolder = join(folder, "e");
  const engine = await startEngine({ folder: engineFolder });
  const registry = await startRegistry({ folder: join(folder, "r") });
  project.provide("socketPath", engine.socket);
  project.provide("registry", registry.host);
  project.provide("engineFolder", engineFolder);
  return async () => {
    await registry.stop();
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
