/**
 * The three steps of an update. The roles are names: the app's container has the app's name, the one of the version before
 * is put aside under another, and the rename is the switch. So whatever breaks off, a look says how far it came.
 */
import { containerName, keptName } from "../model/names.ts";
import type { Work } from "./appWork.ts";

/** The new version in place of the old one, which is kept. All that can fail without it is done while the old one runs. */
export async function swap(work: Work): Promise<void> {
  const { engine, order, version } = work;
  const { container, kept } = await work.ours();
  const isOld = container !== undefined && work.versionOf(container) !== version;
  if (container && !isOld) return work.startAt(container.Id);
  const { make } = await work.prepare(container ?? kept);
  if (container) {
    if (kept) await work.discard(kept);
    work.signal.throwIfAborted();
    await engine.stop(container.Id, work.grace(container));
    await engine.rename(container.Id, keptName(order));
  }
  work.signal.throwIfAborted();
  await work.startAt(await make());
}

/** The old version goes, and with it every image but the one that runs. */
export async function commit(work: Work): Promise<void> {
  const { engine, repository, version } = work;
  const { kept } = await work.ours();
  if (kept) await work.discard(kept);
  for (const tag of await engine.tagsOf(repository))
    if (tag !== version) await engine.removeImage(`${repository}:${tag}`);
}

/** The old version back in its place: the container that was kept, else, or where its ports are gone, a new one of its image. */
export async function rollBack(work: Work): Promise<void> {
  const { engine, order, version } = work;
  const { container, kept } = await work.ours();
  work.say(`${order.name} goes back to version ${version}`);
  const isBad = container !== undefined && work.versionOf(container) !== version;
  if (isBad) {
    await engine.stop(container.Id, work.grace(container));
    await work.discard(container);
  }
  const back = isBad || !container ? kept : container;
  const mayStay = back && (back !== kept || work.hasItsPorts(back));
  if (mayStay && back === kept) await engine.rename(back.Id, containerName(order));
  work.signal.throwIfAborted();
  const id = mayStay ? back.Id : await (await work.prepare(container)).make();
  if (kept && kept.Id !== id) await work.discard(kept);
  await work.startAt(id);
}
