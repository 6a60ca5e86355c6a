/** The output of an app for somebody on the device: what there is of it, and then what comes, one container after the other. */
import type { AppId } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { type LogLine, marksAt, secondsOf, stampOf } from "../model/logLine.ts";
import { instantIn, MOST_LINES } from "../model/logQuery.ts";
import type { AppOrder } from "../model/order.ts";
import { appNamed } from "./appNamed.ts";
import type { ContainerInfo, Engine } from "./docker.ts";
import { lastLines } from "./dockerLogs.ts";
import { follow } from "./logFollower.ts";
import { LogSieve } from "./logSieve.ts";

export interface LiveLogOptions {
  readonly engine: Engine;
  readonly orders: () => readonly AppOrder[];
  /** The container of an app, if it is there. */
  readonly containerOf: (app: AppId) => Promise<ContainerInfo | undefined>;
  /** Of one that is gone. */
  readonly keptOf: (app: AppId) => readonly LogLine[];
  /** Resolves when a run of the app begins. */
  readonly nextRun: (app: AppId, signal: AbortSignal) => Promise<void>;
  readonly now: () => number;
}

type Send = (lines: readonly LogLine[]) => Promise<void>;

interface Asked {
  readonly app: AppId;
  readonly tail: number;
  readonly since: number | undefined;
  readonly follows: boolean;
}

export class LiveLog {
  readonly #options: LiveLogOptions;

  constructor(options: LiveLogOptions) {
    this.#options = options;
  }

  /**
   * @param params `{ app, tail?, since?, follow? }`.
   * @throws {AgentError} unknown_app, bad_settings, and what the engine says.
   */
  async tell(params: unknown, send: Send, signal: AbortSignal): Promise<void> {
    const { app, ...window } = this.#asked(params);
    const { containerOf, keptOf, engine, now } = this.#options;
    let info = await containerOf(app);
    const begun = stampOf(now());
    const first = info ? await this.#last(info, window, signal) : inWindow(keptOf(app), window);
    let sieve = sieveAfter(first, begun, now);
    await send(first);
    while (window.follows && !signal.aborted) {
      const next = this.#options.nextRun(app, signal);
      if (info) await follow({ engine, id: info.Id, sieve, signal, now, take: send });
      await next;
      const newest = signal.aborted ? undefined : await containerOf(app);
      if (newest && newest.Id !== info?.Id) sieve = new LogSieve({}, now);
      info = newest ?? info;
    }
  }

  async #last({ Id, Config, State }: ContainerInfo, { tail, since }: Omit<Asked, "app">, signal: AbortSignal) {
    const from = since === undefined ? {} : { since: secondsOf(stampOf(since)) };
    const ask = { engine: this.#options.engine, id: Id, isTerminal: Config.Tty, isOver: !State.Running, signal };
    return (await lastLines({ ...ask, ...from, tail, follow: false })).lines;
  }

  #asked(params: unknown): Asked {
    const { app, tail, since, follow: follows } = (params ?? {}) as Readonly<Record<string, unknown>>;
    const from = since === undefined ? undefined : instantIn(String(since).slice(0, 60), this.#options.now());
    if (since !== undefined && from === undefined)
      throw new AgentError("bad_settings", `since: ${JSON.stringify(since).slice(0, 60)}; expected 30m, 2h, or a time`);
    const lines = tail === undefined ? MOST_LINES : Number(tail);
    if (!Number.isInteger(lines) || lines < 0)
      throw new AgentError("bad_settings", `tail: ${JSON.stringify(tail)?.slice(0, 60)}; expected a number of lines`);
    return {
      app: appNamed(this.#options.orders(), app),
      tail: Math.min(lines, MOST_LINES),
      since: from,
      follows: follows === true,
    };
  }
}

const inWindow = (lines: readonly LogLine[], { tail, since }: Omit<Asked, "app">): readonly LogLine[] => {
  const from = since === undefined ? "" : stampOf(since);
  return tail === 0 ? [] : lines.filter(({ stamp }) => stamp >= from).slice(-tail);
};

/** What is new after these lines; where there are none, from that stamp on. */
function sieveAfter(lines: readonly LogLine[], begun: string, now: () => number): LogSieve {
  const sieve = new LogSieve(lines.length > 0 ? {} : marksAt(begun), now);
  for (const line of lines) sieve.admit(line);
  return sieve;
}
