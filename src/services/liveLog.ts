/** The output of an app for somebody on the device: what there is of it, and then what comes, one container after the other. */
import type { AppId } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import {
  type AgentWord,
  droppedLine,
  type LogLine,
  marksAt,
  ROTATED,
  type ShownLine,
  secondsOf,
  stampOf,
} from "../model/logLine.ts";
import { instantIn, MOST_LINES } from "../model/logQuery.ts";
import type { AppOrder } from "../model/order.ts";
import { appNamed } from "./appNamed.ts";
import type { ContainerInfo, Engine } from "./docker.ts";
import { lastLines, unlessGone } from "./dockerLogs.ts";
import { type FreshLine, follow } from "./logFollower.ts";
import { LogSieve } from "./logSieve.ts";
import { type Send, shown, WordTeller } from "./wordTeller.ts";

export interface LiveLogOptions {
  readonly engine: Engine;
  readonly orders: () => readonly AppOrder[];
  /** The container of an app, if it is there. */
  readonly containerOf: (app: AppId) => Promise<ContainerInfo | undefined>;
  /** Of one that is gone. */
  readonly keptOf: (app: AppId) => readonly LogLine[];
  /** Resolves when a run of the app begins. */
  readonly nextRun: (app: AppId, signal: AbortSignal) => Promise<void>;
  readonly words: {
    /** The last words of the agent about an app, oldest first. */
    wordsOf(app: AppId): readonly AgentWord[];
    /** Calls `onWord` when there is one more. Answers what ends it. */
    watchWords(app: AppId, onWord: () => void): () => void;
  };
  readonly now: () => number;
}

interface Asked {
  readonly app: AppId;
  readonly tail: number;
  readonly since: number | undefined;
  readonly follows: boolean;
}

/** What was told already, and who is told more. */
interface Told {
  readonly app: AppId;
  readonly info: ContainerInfo | undefined;
  readonly sieve: LogSieve;
  readonly said: readonly AgentWord[];
  readonly send: Send;
  readonly signal: AbortSignal;
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
    const { containerOf, keptOf, now, words } = this.#options;
    const info = await containerOf(app);
    const begun = stampOf(now());
    const there = info && (await unlessGone(this.#last(info, window, signal)));
    const printed = there ?? inWindow(keptOf(app), window);
    const said = words.wordsOf(app);
    await send(inWindow([...printed, ...said.map(shown)].toSorted(byStamp), window));
    if (window.follows) await this.#goOn({ app, info, sieve: sieveAfter(printed, begun, now), said, send, signal });
  }

  async #goOn({ app, info, sieve, said, send, signal }: Told): Promise<void> {
    const { containerOf, engine, now, words, nextRun } = this.#options;
    let printed: Promise<unknown> = Promise.resolve();
    const teller = new WordTeller({ words: () => words.wordsOf(app), said, send, printed: () => printed });
    const take = (lines: readonly FreshLine[]) => send(lines.flatMap(told));
    const unwatch = words.watchWords(app, teller.tell);
    try {
      for (let [container, lines] = [info, sieve]; !signal.aborted; ) {
        const next = nextRun(app, signal);
        if (container) printed = follow({ engine, id: container.Id, sieve: lines, signal, now, take });
        teller.tell();
        await printed;
        await next;
        const newest = signal.aborted ? undefined : await containerOf(app);
        if (newest && newest.Id !== container?.Id) lines = new LogSieve({}, now);
        container = newest ?? container;
      }
    } finally {
      unwatch();
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

const told = ({ stream, stamp, text, gap }: FreshLine): ShownLine[] => {
  const line = { stream, stamp, text };
  return gap === 0 ? [line] : [{ stream: "agent", stamp, text: droppedLine(gap, ROTATED) }, line];
};

const byStamp = (one: ShownLine, other: ShownLine): number =>
  one.stamp < other.stamp ? -1 : Number(one.stamp > other.stamp);

const inWindow = <L extends ShownLine>(lines: readonly L[], { tail, since }: Omit<Asked, "app">): readonly L[] => {
  const from = since === undefined ? "" : stampOf(since);
  return tail === 0 ? [] : lines.filter(({ stamp }) => stamp >= from).slice(-tail);
};

/** What is new after these lines; where there are none, from that stamp on. */
function sieveAfter(lines: readonly LogLine[], begun: string, now: () => number): LogSieve {
  const sieve = new LogSieve(lines.length > 0 ? {} : marksAt(begun), now);
  for (const line of lines) sieve.admit(line);
  return sieve;
}
