/** Makes records of runs from what the machines know of each app's container, and from its output. */
import { type AppId, appName, type Container, type Desired, type Facts, type Run } from "../model/app.ts";
import type { AgentError } from "../model/errors.ts";
import { signalOf } from "../model/exitWords.ts";
import { MOST_LINES, type RunRecord, runId } from "../model/runRecord.ts";
import { plainLine } from "../model/terminal.ts";

interface Seen {
  readonly app: AppId;
  readonly state: string;
  readonly desired: Desired;
  readonly facts?: Facts | undefined;
  readonly error: AgentError | undefined;
}

interface RunRecordsOptions {
  readonly now: () => number;
  readonly keep: (app: AppId, record: RunRecord) => void;
  /** Records of an app, newest first. */
  readonly known: (app: AppId) => readonly RunRecord[];
  /** A run has ended, and its container is still there. */
  readonly onEnd: (app: AppId, run: Run) => void;
}

const LONGEST_LINE = 300;

export class RunWatcher {
  readonly #options: RunRecordsOptions;
  /** The run of each app that was seen last. */
  readonly #last = new Map<string, RunRecord | undefined>();

  /** Who waits for the next run of an app. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: RunRecordsOptions) {
    this.#options = options;
  }

  /** Looked at after every event of an app; nearly always nothing is new. */
  see(seen: Seen): void {
    const { app, facts } = seen;
    if (!facts) return;
    const { container } = facts;
    const last = this.#lastOf(app);
    const isSame = container !== undefined && last?.run === runId(container);
    if (last && last.end === undefined && (!isSame || container.is === "down"))
      this.#keepEnd(seen, last, isSame ? container : undefined);
    if (container && container.startedAt !== 0 && !isSame) this.#begin(seen, container);
  }

  #begin(seen: Seen, container: Container): void {
    const begun = { run: runId(container), version: container.version, begin: container.startedAt, lastLines: [] };
    const record = { ...begun, ...(container.image && { image: container.image }) };
    if (container.is === "down") this.#keepEnd(seen, record, container);
    else this.#keep(seen.app, record);
    for (const waiting of this.#waiting.get(appName(seen.app)) ?? []) waiting();
  }

  /** @param container absent where it is gone, or runs anew. */
  #keepEnd({ app, state, desired, error }: Seen, record: RunRecord, container: Container | undefined): void {
    this.#keep(app, ended(record, container, this.#options.now(), reasonOf(record, state, desired, error)));
    if (container) this.#options.onEnd(app, container);
  }

  /** What a run printed last; its output may end after the run does. */
  printed(app: AppId, run: Run, printed: readonly string[]): void {
    const id = runId(run);
    const record =
      this.#lastOf(app)?.run === id ? this.#lastOf(app) : this.#options.known(app).find((each) => each.run === id);
    const lines = printed.filter((line) => line.trim() !== "");
    if (record && lines.length > 0)
      this.#keep(app, { ...record, lastLines: lines.slice(-MOST_LINES).map((line) => plainLine(line, LONGEST_LINE)) });
  }

  /** Resolves when a run of this app begins, or the signal fires. */
  next(app: AppId, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const name = appName(app);
      const begun = () => {
        this.#waiting.get(name)?.delete(begun);
        signal.removeEventListener("abort", begun);
        resolve();
      };
      this.#waiting.set(name, (this.#waiting.get(name) ?? new Set<() => void>()).add(begun));
      signal.addEventListener("abort", begun);
      if (signal.aborted) begun();
    });
  }

  forget(app: AppId): void {
    this.#last.delete(appName(app));
  }

  #lastOf(app: AppId): RunRecord | undefined {
    const name = appName(app);
    if (!this.#last.has(name)) this.#last.set(name, this.#options.known(app)[0]);
    return this.#last.get(name);
  }

  #keep(app: AppId, record: RunRecord): void {
    const last = this.#last.get(appName(app));
    if (!last || last.begin <= record.begin) this.#last.set(appName(app), record);
    this.#options.keep(app, record);
  }
}

/** @param container absent where it is gone, or runs anew, and nobody saw how that run ended. */
function ended(
  record: RunRecord,
  container: Container | undefined,
  now: number,
  reason: string | undefined,
): RunRecord {
  const { exitCode, isOutOfMemory, endedAt } = container ?? {};
  const signal = exitCode === undefined ? undefined : signalOf(exitCode);
  return {
    ...record,
    end: endedAt ?? now,
    ...(exitCode !== undefined && { exitCode }),
    ...(signal && { signal }),
    ...(isOutOfMemory && { outOfMemory: true }),
    ...(reason && { reason }),
  };
}

function reasonOf(
  { version }: RunRecord,
  state: string,
  desired: Desired,
  error: AgentError | undefined,
): string | undefined {
  if (desired.target !== "RUNNING") return `${desired.target} was asked for`;
  if (state.startsWith("active.updating"))
    return version === desired.version ? error?.message : `exchanged for version ${desired.version}`;
  return state.startsWith("crashed") ? error?.message : undefined;
}
