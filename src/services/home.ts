/**
 * Everything that the agent keeps in its home, opened in the order in which it depends on each other, and closed in
 * reverse: settings, log, locks, identity, database.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { appName } from "../model/app.ts";
import type { Flags } from "../model/flags.ts";
import { revisionOf } from "../model/order.ts";
import type { Settings } from "../model/settings.ts";
import { storageFailed } from "../model/storageFailed.ts";
import { ORIGINAL_DEFAULTS } from "../model/takenOver.ts";
import type { Machine } from "../model/wireReport.ts";
import { FlockFile } from "./flockFile.ts";
import { Journal } from "./journal.ts";
import { type Lock, MACHINE_LOCK, takeLock } from "./lock.ts";
import { createLog, type Log } from "./log.ts";
import { readOriginal } from "./originalDatabase.ts";
import { KeptProblems } from "./problems.ts";
import { settingsIn } from "./settingsFile.ts";
import { Store } from "./store.ts";

export interface HomeOptions {
  readonly flags: Flags;
  readonly config: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine: Machine;
  readonly now: () => number;
}

export interface Home {
  readonly folder: string;
  /** Folder of `shared` and of each app's data. */
  readonly appsDir: string;
  readonly settings: Settings;
  readonly log: Log;
  /** Where it is written, beside standard output. */
  readonly logFile: string;
  readonly problems: KeptProblems;
  readonly flock: FlockFile;
  readonly store: Store;
  readonly journal: Journal;
  /** Rejects when a lock is lost: somebody else may own this device now. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/** @throws {AgentError} what keeps the agent from starting; nothing stays open then. */
export async function openHome({ flags, config, env, machine, now }: HomeOptions): Promise<Home> {
  const folder = flags.agentDir;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw storageFailed(error);
  });
  const settings = await settingsIn(folder, env);
  const logFile = flags.logFile ?? join(folder, "agent.log");
  const log = createLog({ level: levelOf(flags, settings), file: logFile });
  for (const words of flags.withoutEffect) log.warn({}, words);
  const flock = await FlockFile.open(config, `${machine.arch}${machine.variant}`);
  const paths = [join(folder, "reagent.lock"), ...(settings["lock.machine"] === "on" ? [MACHINE_LOCK] : [])];
  const locks: Lock[] = [];
  const release = async () => {
    await Promise.all(locks.map((lock) => lock.release()));
  };
  try {
    for (const path of paths) locks.push(await takeLock(path));
    const problems = new KeptProblems({
      now,
      onNews: (problem) => log.warn({ ...problem }, "a problem"),
    });
    const store = new Store({ folder, now, problems });
    if (store.setAside) log.error({ file: store.setAside }, "the database was damaged; it is set aside and begun anew");
    const journal = new Journal({ folder, now, onProblem: (error) => problems.note("journal", error) });
    if (journal.setAside)
      log.warn({ file: journal.setAside }, "the journal was damaged; it is set aside and begun anew");
    if (!store.setAside) takeOver(store, { folder, now, log, problems });
    return {
      folder,
      appsDir: flags.appsDir,
      settings: store.takenOver ? await settingsIn(folder, env, ORIGINAL_DEFAULTS) : settings,
      log,
      logFile,
      problems,
      flock,
      store,
      journal,
      lost: Promise.race(locks.map((lock) => lock.lost)),
      close: async () => {
        journal.close();
        store.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** At the first start beside an original's database. A database that was damaged is not begun with what was wanted long ago. */
function takeOver(
  store: Store,
  { folder, now, log, problems }: Pick<Home, "folder" | "log" | "problems"> & Pick<HomeOptions, "now">,
): void {
  if (store.takenOver || store.apps().length > 0) return;
  try {
    const original = readOriginal(folder);
    if (!original) return;
    const { orders, skipped } = original;
    const revisions = Object.fromEntries(orders.map((order) => [appName(order.app), revisionOf(order)]));
    const taken = { at: now(), apps: Object.keys(revisions), revisions, skipped };
    store.takeOver(orders, taken);
    log.info({ ...taken }, "taken over from the original agent; its database stays as it is");
  } catch (error) {
    problems.note("original", error);
  }
}

function levelOf({ debug }: Flags, settings: Settings): Settings["log.level"] {
  if (debug === undefined) return settings["log.level"];
  return debug ? "debug" : "info";
}
