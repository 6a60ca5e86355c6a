/** The logs of all apps: each on the topic of its container, in turn, as long as somebody listens to it. */
import { type AppId, appName, type Run } from "../model/app.ts";
import { seconds } from "../model/duration.ts";
import type { AgentWord } from "../model/logLine.ts";
import { containerName } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import { AppLog } from "./appLog.ts";
import type { Engine } from "./docker.ts";
import { lastLines, unlessGone } from "./dockerLogs.ts";
import type { Word } from "./logItems.ts";
import type { Hearing, LogListeners } from "./logListeners.ts";
import type { Fate } from "./logPublisher.ts";
import { LARGEST_LAST, type LogShelf } from "./logShelf.ts";
import { type LogOutlet, LogTurns } from "./logTurns.ts";

export interface AppLogsOptions {
  readonly engine: Engine;
  readonly shelf: LogShelf;
  readonly listeners: LogListeners;
  readonly outlet: LogOutlet;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** Topic of a container's log. */
  readonly topicOf: (container: string) => string;
  readonly send: (topic: string, message: string | Word) => Promise<Fate>;
  readonly now: () => number;
  /** The last of what a run printed, when it is over. */
  readonly onPrinted?: ((app: AppId, run: Run, lines: readonly string[]) => void) | undefined;
  /** Output that could not be read. */
  readonly onProblem: (app: AppId, error: unknown) => void;
}

interface Known {
  readonly topic: string;
  readonly log: AppLog;
  readonly unwatch: () => void;
  hearing: Hearing;
  onHearing: (isHeard: boolean) => void;
}

/** Lines that are looked at for the last 256 KiB of a container's output. */
const MOST_LAST_LINES = 5_000;

export class AppLogs {
  readonly #options: AppLogsOptions;
  readonly #apps = new Map<string, Known>();
  readonly #turns: LogTurns;
  readonly #watching = new Set<readonly [app: string, onWord: () => void]>();

  constructor(options: AppLogsOptions) {
    this.#options = options;
    this.#turns = new LogTurns(options.outlet);
  }

  /** A word of the agent; `LOGGER_CLEAR` empties the view. */
  say(order: AppOrder, text: string): void {
    this.#of(order).log.say(text);
    this.#told(order.app);
  }

  /** A word about an end, of this run where nobody may have begun to read it: after all that was printed before it. */
  sayLast(order: AppOrder, text: string, run?: Run): void {
    this.#of(order).log.sayLast(text, run);
    this.#told(order.app);
  }

  /** The last words about an app, oldest first. */
  wordsOf(app: AppId): readonly AgentWord[] {
    return this.#apps.get(appName(app))?.log.words ?? [];
  }

  /** Calls `onWord` when there is a word more about an app. Answers what ends it. */
  watchWords(app: AppId, onWord: () => void): () => void {
    const watch = [appName(app), onWord] as const;
    this.#watching.add(watch);
    return () => this.#watching.delete(watch);
  }

  /** A line of the engine's progress, a JSON object. */
  progress(order: AppOrder, line: string): void {
    this.#of(order).log.progress(line);
  }

  /** Tells whether somebody listens, and whenever it changes. Answers what ends it. */
  listen(app: AppId, onHearing: (isHeard: boolean) => void): () => void {
    const order = this.#options.orderOf(app);
    if (!order) return () => {};
    const known = this.#of(order);
    known.onHearing = onHearing;
    onHearing(known.hearing === "heard");
    return () => {
      known.onHearing = () => {};
    };
  }

  /** Hands on the output of one run; `onEnd` is called when it is over. Answers what ends it before. */
  follow({ app, ...run }: Run & { readonly app: AppId }, onEnd: () => void): () => void {
    const order = this.#options.orderOf(app);
    const over = new AbortController();
    const following = order ? this.#of(order).log.follow(run, over.signal) : Promise.resolve();
    void following.then(() => over.signal.aborted || onEnd());
    return () => over.abort();
  }

  /**
   * Keeps the last of what a container printed, before it is removed or because it has ended; waits a little for those who
   * still listen to it. Never rejects.
   */
  async keepLast(order: AppOrder, { id, startedAt }: Run): Promise<void> {
    const { engine, shelf, onPrinted, onProblem } = this.#options;
    const { app } = order;
    try {
      const info = await engine.container(id);
      if (!info || startedAt === 0) return;
      const signal = AbortSignal.timeout(seconds(10));
      const isTerminal = info.Config.Tty;
      const ask = { engine, id, signal, isTerminal, isOver: true, follow: false, tail: MOST_LAST_LINES };
      const last = await unlessGone(lastLines(ask, LARGEST_LAST));
      if (!last) return;
      const { lines } = last;
      shelf.keepLast(app, id, lines);
      onPrinted?.(
        app,
        { id, startedAt },
        lines.map(({ text }) => text),
      );
      if (!info.State.Running) await this.#apps.get(appName(app))?.log.rest();
    } catch (error) {
      onProblem(app, error);
    }
  }

  /** For an app that is gone. */
  forget(app: AppId): void {
    const known = this.#apps.get(appName(app));
    known?.unwatch();
    known?.log.close();
    this.#apps.delete(appName(app));
    this.#options.shelf.forget(app);
  }

  close(): void {
    for (const { log, unwatch } of this.#apps.values()) {
      unwatch();
      log.close();
    }
    this.#apps.clear();
    this.#options.shelf.close();
  }

  #told(app: AppId): void {
    for (const [name, onWord] of this.#watching) if (name === appName(app)) onWord();
  }

  #of(order: AppOrder): Known {
    const { engine, shelf, listeners, send, now, topicOf, onProblem } = this.#options;
    const { app } = order;
    const topic = topicOf(containerName(order));
    const before = this.#apps.get(appName(app));
    if (before?.topic === topic) return before;
    before?.unwatch();
    before?.log.close();
    const log = new AppLog({
      ...{ app, engine, shelf, now, turns: this.#turns },
      send: (message) => send(topic, message),
      onProblem: (error) => onProblem(app, error),
    });
    const onHearing = (hearing: Hearing) => {
      known.hearing = hearing;
      log.hear(hearing);
      known.onHearing(hearing === "heard");
    };
    const known: Known = {
      ...{ topic, log, hearing: "cut" },
      unwatch: listeners.watch(topic, log.wasHeard, onHearing),
      onHearing: before?.onHearing ?? (() => {}),
    };
    this.#apps.set(appName(app), known);
    return known;
  }
}
