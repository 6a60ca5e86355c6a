/**
 * Containers that bear our serial number and belong to no app that anybody knows: they are taken away after a good list.
 * What bears no label of ours is somebody else's, whatever it is called.
 */
import { appName } from "../model/app.ts";
import { appOf, LABELS } from "../model/names.ts";
import type { Engine } from "./docker.ts";
import type { Log } from "./log.ts";

interface OrphansOptions {
  readonly engine: Pick<Engine, "containers" | "remove">;
  readonly serial: string;
  /** Known here, or named by the list. */
  readonly isKnown: (app: string) => boolean;
  readonly log: Pick<Log, "warn">;
}

/** One that cannot be removed stops nothing; the next list tries again. Never rejects. */
export async function removeOrphans({ engine, serial, isKnown, log }: OrphansOptions): Promise<void> {
  const onProblem = (error: unknown) => log.warn({ error }, "containers of unknown apps cannot be removed now");
  const onRemoved = (container: string, app: string) =>
    log.warn({ container, app }, "a container of an app that nobody knows is removed");
  try {
    for (const { Id, Names, Labels } of await engine.containers([`${LABELS.serial}=${serial}`])) {
      const app = appOf(Labels, serial);
      if (!app || isKnown(appName(app))) continue;
      await engine.remove(Id).then(() => onRemoved(Names[0] ?? Id, appName(app)), onProblem);
    }
  } catch (error) {
    onProblem(error);
  }
}
