/** Whether there is room for one more image. A disk that is full to the brim takes the engine down with it. */
import { statfs } from "node:fs/promises";
import { AgentError } from "../model/errors.ts";
import type { Engine } from "./docker.ts";

/**
 * @param minFree MB.
 * @returns what throws {AgentError} engine_full. An engine whose disk cannot be seen from here is taken for one with room.
 */
export function roomOn(engine: Pick<Engine, "dataRoot">, minFree: number): () => Promise<void> {
  let root: string | undefined;
  return async () => {
    root ??= await engine.dataRoot();
    const disk = await statfs(root).catch(() => undefined);
    if (!disk) return;
    const free = Math.floor((disk.bavail * disk.bsize) / 1e6);
    if (free < minFree)
      throw new AgentError("engine_full", `${free} MB are free in ${root}, and ${minFree} are wanted`);
  };
}
