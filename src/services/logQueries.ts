/** What was printed before: from the engine's own files while the container is there, else the last that was kept. */
import { type AppId, appName } from "../model/app.ts";
import { seconds } from "../model/duration.ts";
import { type LogLine, secondsOf, stampOf } from "../model/logLine.ts";
import { type AppLogQuery, MOST_LINES, pageOf } from "../model/logQuery.ts";
import { appOf, containerName } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { Adoption } from "./adoption.ts";
import type { ContainerInfo, Engine } from "./docker.ts";
import { lastLines, type ReadOptions, readLines, unlessGone } from "./dockerLogs.ts";
import type { LogShelf } from "./logShelf.ts";

export interface LogQueriesOptions {
  readonly engine: Engine;
  readonly serial: string;
  readonly shelf: LogShelf;
  readonly adoption: Adoption;
  readonly orders: () => readonly AppOrder[];
  /** The last words of the agent about an app, oldest first. */
  readonly wordsOf: (app: AppId) => readonly Pick<LogLine, "stamp" | "text">[];
  readonly now: () => number;
}

/** As it goes over the wire. */
export interface AppLogAnswer {
  readonly lines: readonly string[] | null;
  readonly source: "docker" | "history";
  readonly returned: number;
  readonly truncated: boolean;
  readonly device_time: string;
  readonly oldest_available?: string;
}

/** The flat form has no window. */
const MOST_HISTORY = 100;
/** The engine has so long for a question. */
const WITHIN = seconds(20);

export class LogQueries {
  readonly #options: LogQueriesOptions;

  constructor(options: LogQueriesOptions) {
    this.#options = options;
  }

  /** @throws {AgentError} what the engine says, unless there is no such container. */
  async appLogs(query: AppLogQuery): Promise<AppLogAnswer> {
    const device_time = new Date(this.#options.now()).toISOString();
    const info = await this.#ours(query.container);
    const answer = (info && (await unlessGone(this.#printed(info, query)))) ?? this.#keptOf(query);
    return { ...answer, device_time };
  }

  #keptOf(query: AppLogQuery): Omit<AppLogAnswer, "device_time"> {
    const kept = this.#kept(query.container);
    const { lines, isCut } = pageOf(kept?.map(textFor(query)) ?? [], query);
    return { lines: kept ? lines : null, source: "history", returned: lines.length, truncated: isCut };
  }

  async #printed(info: ContainerInfo, query: AppLogQuery): Promise<Omit<AppLogAnswer, "device_time">> {
    const ask = this.#ask(info);
    const { since, until, tail, offset } = query;
    const window = {
      ...(since !== undefined && { since: secondsOf(stampOf(since)) }),
      ...(until !== undefined && { until: secondsOf(stampOf(until)) }),
    };
    const read = await lastLines({ ...ask, ...window, tail: Math.min(tail + offset, MOST_LINES) });
    const { lines, isCut } = pageOf(read.lines.map(textFor(query)), query);
    const oldest = await oldestOf(ask);
    const truncated = isCut || read.isCut;
    const answer = { lines, source: "docker", returned: lines.length, truncated } as const;
    return oldest === undefined ? answer : { ...answer, oldest_available: oldest };
  }

  /** The newest hundred lines and words, oldest first; null for a name that nobody knows. */
  async history(container: string): Promise<readonly string[] | null> {
    const order = this.#orderOf(container);
    if (!order) return null;
    const info = await this.#ours(container);
    const printed = info && (await unlessGone(lastLines({ ...this.#ask(info), tail: MOST_HISTORY })));
    const lines = printed?.lines ?? this.#kept(container) ?? [];
    const all = [...lines, ...this.#options.wordsOf(order.app)].toSorted((a, b) => (a.stamp < b.stamp ? -1 : 1));
    return pageOf(
      all.map(({ text }) => text),
      { tail: MOST_HISTORY, offset: 0 },
    ).lines;
  }

  /** The container of an app, if it is there and ours. */
  async containerOf(app: AppId): Promise<ContainerInfo | undefined> {
    const order = this.#options.orders().find((each) => appName(each.app) === appName(app));
    return order && this.#ours(containerName(order));
  }

  #ask({ Id, Config }: ContainerInfo): ReadOptions {
    const { engine } = this.#options;
    const signal = AbortSignal.timeout(WITHIN);
    return { engine, id: Id, isTerminal: Config.Tty, isOver: true, follow: false, signal };
  }

  #orderOf(container: string): AppOrder | undefined {
    return this.#options.orders().find((order) => containerName(order) === container);
  }

  /** Only of apps of ours: names prove nothing, and what others print is not ours to show. */
  async #ours(container: string): Promise<ContainerInfo | undefined> {
    const order = this.#orderOf(container);
    if (!order) return undefined;
    const { engine, serial, adoption } = this.#options;
    const info = await engine.container(container);
    if (!info) return undefined;
    const app = appOf(info.Config.Labels ?? {}, serial) ?? adoption.of(info)?.app;
    return app && appName(app) === appName(order.app) ? info : undefined;
  }

  #kept(container: string): readonly LogLine[] | undefined {
    const order = this.#orderOf(container);
    return order && this.#options.shelf.last(order.app)?.lines;
  }
}

const textFor =
  ({ hasStamps }: AppLogQuery) =>
  ({ stamp, text }: Pick<LogLine, "stamp" | "text">): string =>
    hasStamps ? `${stamp} ${text}` : text;

/** When the oldest line that the engine still has was printed. */
async function oldestOf(ask: ReadOptions): Promise<string | undefined> {
  for await (const [line] of readLines(ask)) return line?.stamp;
  return undefined;
}
