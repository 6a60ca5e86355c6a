/**
 * The log of each app as the studio sees it: what its container prints, live and in batches, and between it the words of
 * the agent. All of one app goes out on one topic, in order.
 */
import { type AppId, appName } from "../model/app.ts";
import { containerName } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { Engine } from "./docker.ts";
import { followOutput } from "./dockerLogs.ts";
import { LogPublisher } from "./logPublisher.ts";
import type { Sent } from "./uplink.ts";

/** One run of a container. */
export interface Run {
  readonly app: AppId;
  readonly id: string;
  readonly startedAt: number;
}

export interface AppLogsOptions {
  readonly engine: Engine;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** Sends one message to the topic of a container. */
  readonly send: (container: string, message: unknown) => Sent;
  readonly now: () => number;
  /** Output that could not be read. */
  /** The last of what a run printed, when its output ends. */
  readonly onPrinted?: (app: AppId, run: { readonly id: string; readonly startedAt: number }, text: string) => void;
  readonly onProblem: (app: AppId, error: unknown) => void;
}

interface Followed {
  readonly publisher: LogPublisher;
  readonly container: string;
  /** Container -> until when its output was sent: a run that goes on, or the next run of it, sends nothing again. */
  readonly seen: Map<string, number>;
}

/** One that was put aside may come back. */
const MOST_CONTAINERS = 4;

/**
 * A short program may have written and ended before the engine notes that it started (seen by 200 ms with Docker 20.10), so
 * the output of a run is looked for from a little earlier on, ms.
 */
const BEFORE_START = 5_000;
/** Characters of a run's output that are kept for its record. */
const LONGEST_TAIL = 4_096;

export class AppLogs {
  readonly #options: AppLogsOptions;
  readonly #apps = new Map<string, Followed>();
  /** What was printed before this agent began is not replayed. */
  readonly #begun: number;

  constructor(options: AppLogsOptions) {
    this.#options = options;
    this.#begun = options.now();
  }

  /** A word of the agent; `LOGGER_CLEAR` empties the view. */
  say(order: AppOrder, text: string): void {
    this.#of(order).publisher.say({ type: "build", chunk: text });
  }

  /** A line of the engine's progress, a JSON object. */
  progress(order: AppOrder, line: string): void {
    this.#of(order).publisher.write(`${line}\n`);
  }

  /** Follows the output of one run; `onEnd` is called when it is over. Answers what ends it before. */
  follow({ app, id, startedAt }: Run, onEnd: () => void): () => void {
    const order = this.#options.orderOf(app);
    if (!order) {
      queueMicrotask(onEnd);
      return () => {};
    }
    const over = new AbortController();
    const followed = this.#of(order);
    const since = Math.max(startedAt - BEFORE_START, followed.seen.get(id) ?? this.#begun);
    const [oldest] = followed.seen.keys();
    if (oldest !== undefined && followed.seen.size >= MOST_CONTAINERS) followed.seen.delete(oldest);
    let tail = "";
    const onText = (text: string) => {
      followed.seen.set(id, this.#options.now());
      tail = (tail + text).slice(-LONGEST_TAIL);
      followed.publisher.write(text);
    };
    followOutput({ engine: this.#options.engine, id, since, signal: over.signal }, onText)
      .catch((error: unknown) => over.signal.aborted || this.#options.onProblem(app, error))
      .finally(() => {
        followed.publisher.end();
        this.#options.onPrinted?.(app, { id, startedAt }, tail);
        if (!over.signal.aborted) onEnd();
      });
    return () => over.abort();
  }

  /** For an app that is gone. */
  forget(app: AppId): void {
    this.#apps.get(appName(app))?.publisher.flush();
    this.#apps.get(appName(app))?.publisher.close();
    this.#apps.delete(appName(app));
  }

  close(): void {
    for (const { publisher } of this.#apps.values()) publisher.close();
    this.#apps.clear();
  }

  #of(order: AppOrder): Followed {
    const name = appName(order.app);
    const container = containerName(order);
    const known = this.#apps.get(name);
    if (known?.container === container) return known;
    const publisher = new LogPublisher({ publish: (message) => this.#options.send(container, message) });
    const fresh: Followed = { container, publisher, seen: new Map() };
    this.#apps.set(name, fresh);
    return fresh;
  }
}
