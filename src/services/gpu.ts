/** Whether this device has an NVIDIA GPU whose runtime containers should be given: the signs that the original goes by. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";

export const GPU_RUNTIME = "nvidia";

export interface GpuSigns {
  /** Libraries of NVIDIA's own. */
  readonly folder: string;
  /** The loader's cache of libraries, which `ldconfig -p` prints. */
  readonly cache: string;
  /** The board's name, on boards that have one. */
  readonly model: string;
}

const SIGNS: GpuSigns = { folder: "/usr/lib/nvidia", cache: "/etc/ld.so.cache", model: "/proc/device-tree/model" };

export async function hasGpu({ folder, cache, model }: GpuSigns = SIGNS): Promise<boolean> {
  if (existsSync(folder)) return true;
  const [libraries, board] = await Promise.all([cache, model].map((path) => readFile(path, "latin1").catch(() => "")));
  return /libnvidia/.test(libraries ?? "") || /nvidia/i.test(board ?? "");
}
