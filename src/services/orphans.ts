/**
 * Containers that bear our serial number and belong to no app that anybody knows: they are taken away after a good list.
 * What bears no label of ours is somebody else's, whatever it is called.
 */
import { appName } from "../model/app.ts";
import { appOf, LABELS } from "../model/names.ts";
import type { Engine } from "./docker.ts";

interface OrphansOptions {
  readonly engine: Pick<Engine, "containers" | "remove">;
  readonly serial: string;
  /** Known here, or named by the list. */
  readonly isKnown: (app: string) => boolean;
  readonly onRemoved: (name: string, app: string) => void;
  readonly onProblem: (error: unknown) => void;
}

/** One that cannot be removed stops nothing; the next list tries again. */
export async function removeOrphans({ engine, serial, isKnown, onRemoved, onProblem }: OrphansOptions): Promise<void> {
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
