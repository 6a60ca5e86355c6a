/**
 * Sees every machine of the tree after every event, and does what has to be done about it outside: a line in the log, what
 * must survive on disk, the agent's words in an app's log, and since when each one is in its state.
 */
import { type AppId, type AppReport, appName, type Desired, type Facts, type Memory, type Run } from "../model/app.ts";
import type { AgentError } from "../model/errors.ts";
import type { AppOrder } from "../model/order.ts";
import { crashSayings, setAsideSayings } from "../model/sayings.ts";
import type { Log } from "./log.ts";

/** What one machine is in after an event that it processed. */
interface Seen {
  readonly id: string;
  readonly state: string;
  readonly event: string;
  readonly app?: SeenApp | undefined;
  /** Reports that must reach the back end, whatever happens to this process. */
  readonly untold?: readonly AppReport[] | undefined;
}

interface SeenApp {
  readonly app: AppId;
  readonly desired: Desired;
  readonly facts?: Facts | undefined;
  readonly memory: Memory;
  readonly error: AgentError | undefined;
}

export interface WatcherOptions {
  readonly log: Log;
  readonly now: () => number;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** Keeps what only the agent knows of an app. */
  readonly keepMemory: (app: AppId, memory: Memory, error: AgentError | undefined) => void;
  /** For the records of runs. */
  readonly seeRun: (app: SeenApp & { readonly state: string }) => void;
  readonly keepUntold: (reports: readonly AppReport[]) => void;
  /** A word of the agent in an app's log; with the run that has ended. */
  readonly say: (order: AppOrder, text: string, run?: Run) => void;
}

interface Known {
  readonly state: string;
  readonly since: number;
  readonly memory?: Memory | undefined;
}

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #known = new Map<string, Known>();
  #untold: readonly AppReport[] | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  see({ id, state, event, app, untold }: Seen): void {
    const { log, now } = this.#options;
    if (untold) this.#keepUntold(untold);
    const before = this.#known.get(id);
    const isNews = before?.state !== state;
    if (isNews) log.debug({ actor: id, from: before?.state, to: state, event }, "a machine changed its state");
    this.#known.set(id, { state, since: isNews ? now() : before.since, memory: app?.memory });
    if (!app) return;
    if (before !== undefined && before.memory !== app.memory) this.#options.keepMemory(app.app, app.memory, app.error);
    this.#options.seeRun({ ...app, state });
    if (before === undefined) return;
    if (isCrash(before.state, state)) this.#tellCrash(app);
    if (app.memory.setAside && before.memory?.setAside?.version !== app.memory.setAside.version)
      this.#tellSetAside(app);
  }

  /** What was read from disk need not be written. */
  #keepUntold(untold: readonly AppReport[]): void {
    if (this.#untold && untold !== this.#untold) this.#options.keepUntold(untold);
    this.#untold = untold;
  }

  /** When this machine came into its state, ms since 1970. */
  since(id: string): number {
    return this.#known.get(id)?.since ?? this.#options.now();
  }

  /** For an app that is gone. */
  forget(app: AppId): void {
    this.#known.delete(`app:${appName(app)}`);
  }

  #tellSetAside({ app, memory: { setAside }, error }: SeenApp): void {
    const { log, now, orderOf, say } = this.#options;
    const order = orderOf(app);
    if (!order || !setAside) return;
    log.warn({ app: appName(app), name: order.name, setAside, error }, "a version is set aside");
    for (const text of setAsideSayings({ name: order.name, stage: app.stage, setAside, error, now: now() }))
      say(order, text);
  }

  #tellCrash({ app, facts, memory, error }: SeenApp): void {
    const { log, now, orderOf, say } = this.#options;
    const order = orderOf(app);
    if (!order) return;
    const container = facts?.container;
    const exitCode = container?.exitCode;
    log.warn({ app: appName(app), name: order.name, error, exitCode, failures: memory.failures }, "an app failed");
    for (const text of crashSayings({ name: order.name, stage: app.stage, error, exitCode, memory, now: now() }))
      say(order, text, container?.is === "down" ? container : undefined);
  }
}

const isCrash = (from: string | undefined, to: string): boolean =>
  to.startsWith("crashed") && from?.startsWith("crashed") !== true;
