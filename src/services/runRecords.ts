/** Makes records of runs from what the machines know of each app's container, and from its output. */
import { type AppId, appName, type Container, type Desired, type Facts } from "../model/app.ts";
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
}

const LONGEST_LINE = 300;

export class RunWatcher {
  readonly #options: RunRecordsOptions;
  /** The run of each app that was seen last. */
  readonly #last = new Map<string, RunRecord | undefined>();

  constructor(options: RunRecordsOptions) {
    this.#options = options;
  }

  /** Looked at after every event of an app; nearly always nothing is new. */
  see({ app, state, desired, facts, error }: Seen): void {
    const container = facts?.container;
    const last = this.#lastOf(app);
    if (!facts) return;
    const isSame = container !== undefined && last?.run === runId(container);
    if (last && last.end === undefined && (!isSame || container.is === "down"))
      this.#keep(
        app,
        ended(last, isSame ? container : undefined, this.#options.now(), reasonOf(last, state, desired, error)),
      );
    if (!container || container.startedAt === 0 || isSame) return;
    const begun = { run: runId(container), version: container.version, begin: container.startedAt, lastLines: [] };
    const record = { ...begun, ...(container.image && { image: container.image }) };
    this.#keep(
      app,
      container.is === "down"
        ? ended(record, container, this.#options.now(), reasonOf(record, state, desired, error))
        : record,
    );
  }

  /** What a run printed last; its output may end after the run does. */
  printed(app: AppId, run: { readonly id: string; readonly startedAt: number }, text: string): void {
    const id = runId(run);
    const record =
      this.#lastOf(app)?.run === id ? this.#lastOf(app) : this.#options.known(app).find((each) => each.run === id);
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (record && lines.length > 0)
      this.#keep(app, { ...record, lastLines: lines.slice(-MOST_LINES).map((line) => plainLine(line, LONGEST_LINE)) });
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
