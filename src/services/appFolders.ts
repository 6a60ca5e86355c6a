/**
 * The folders that containers are given. Each is made with its mode from the first moment, and its real path has to lie
 * in the apps folder: a link that a container planted there leads nowhere else.
 */
import { existsSync } from "node:fs";
import { mkdir, realpath, rm } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import type { AppId } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { dataFolder, ownFolder } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import { storageFailed } from "../model/storageFailed.ts";

/** Of the host, bound into containers that may touch the device, where they are there. */
const EXTRAS = ["/sys/bus/w1/devices", "/usr/local/cuda"];

/** True: the folder of that name is this app's; nobody else gets it from then on. */
export type Claim = (folder: string, app: AppId) => boolean;

/**
 * An app has the folder of its name, as in the original; unless another app has it. A folder of its own that is there
 * already counts first, so that it is found again even if all that was kept is lost.
 *
 * @throws {AgentError} bad_configuration where a folder leads out of the apps folder.
 */
export async function foldersOf(
  order: AppOrder,
  appsDir: string,
  claim: Claim,
): Promise<{ data: string; shared: string }> {
  const own = ownFolder(order);
  const isOwn = existsSync(join(appsDir, own)) || !claim(dataFolder(order), order.app);
  const [data, shared] = [join(appsDir, isOwn ? own : dataFolder(order)), join(appsDir, "shared")];
  await mkdir(appsDir, { recursive: true, mode: 0o755 });
  const root = await realpath(appsDir);
  for (const path of [join(appsDir, order.app.stage.toLowerCase()), data, shared]) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    if (!(await realpath(path)).startsWith(root + sep))
      throw new AgentError("bad_configuration", `${path} leads out of the apps folder`);
  }
  return { data: await realpath(data), shared: await realpath(shared) };
}

/**
 * Takes away what an app kept, which may hold what root wrote. No link is followed: it goes itself, not what it shows to.
 *
 * @throws {AgentError} storage_failed
 */
export async function removeData(order: AppOrder, appsDir: string, claim: Claim): Promise<void> {
  const own = join(appsDir, ownFolder(order));
  const paths = claim(dataFolder(order), order.app) ? [own, join(appsDir, dataFolder(order))] : [own];
  try {
    const stage = await realpath(join(appsDir, order.app.stage.toLowerCase())).catch(() => undefined);
    if (stage === undefined) return;
    if (dirname(stage) !== (await realpath(appsDir))) throw new Error(`${stage} leads out of the apps folder`);
    for (const path of paths) await rm(path, { recursive: true, force: true });
  } catch (error) {
    throw storageFailed(error);
  }
}

/** Those of the host's special paths that are there. */
export async function extrasThere(): Promise<string[]> {
  const there = await Promise.all(EXTRAS.map((path) => realpath(path).then(Boolean, () => false)));
  return EXTRAS.filter((_, at) => there[at]);
}
