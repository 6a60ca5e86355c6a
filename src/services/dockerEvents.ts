/**
 * The one event stream of the engine. Docker's events are hints: each only says which container to look at, and what is
 * told is what the look shows. Open the stream, then look at all, then follow: nothing falls in between.
 *
 * A reader that stops reading slows the whole engine (100 ms an event after about 1,280 of them), so the stream is read at
 * once and only ids are kept. The open stream is the sign of life; a slow look shows an engine that is frozen.
 */
import type { IncomingMessage } from "node:http";
import type { AppId, Container, WatchFact } from "../model/app.ts";
import { type Ms, minutes } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import { appOf, LABELS } from "../model/names.ts";
import type { Adoption } from "./adoption.ts";
import type { Engine } from "./docker.ts";
import { containerOf } from "./dockerFacts.ts";

export interface WatchOptions {
  readonly engine: Engine;
  readonly serial: string;
  /** Containers that are ours without our labels. */
  readonly adoption?: Adoption;
  /** How often an engine that says nothing is asked whether it lives. Default 5 min. */
  readonly lookEvery?: Ms;
}

interface Seen {
  readonly app: AppId;
  readonly container: Container;
}

/** Watches until it is closed; then nothing more is said. `engine.closed` is said once, last. */
export function watchEngine(options: WatchOptions, say: (fact: WatchFact) => void): () => void {
  const { engine, serial, adoption, lookEvery = minutes(5) } = options;
  const over = new AbortController();
  const known = new Map<string, Seen>();
  const queue = new Set<string>();
  let wake = () => {};

  async function run(): Promise<void> {
    const stream = await engine.events(over.signal);
    const ended = readIds(stream, (id) => {
      queue.add(id);
      wake();
    });
    ended.catch(() => {});
    for (const { Id } of await engine.containers([`${LABELS.serial}=${serial}`])) await look(Id);
    for (const name of adoption?.names() ?? []) {
      const info = await engine.container(name);
      if (info) await look(info.Id);
    }
    say({ type: "engine.opened" });
    await Promise.race([ended, work()]);
  }

  /** One look after the other, each id once however many events it had. */
  async function work(): Promise<never> {
    for (;;) {
      const [id] = queue;
      if (id === undefined) await somethingToDo();
      else {
        queue.delete(id);
        await look(id);
      }
    }
  }

  async function somethingToDo(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<"event" | "time">();
    wake = () => resolve("event");
    const timer = setTimeout(() => resolve("time"), lookEvery);
    const why = await promise;
    clearTimeout(timer);
    over.signal.throwIfAborted();
    if (why === "time") await engine.ping();
  }

  async function look(id: string): Promise<void> {
    const info = await engine.container(id);
    over.signal.throwIfAborted();
    const before = known.get(id);
    if (!info) {
      known.delete(id);
      if (before) tell(before.app, { type: "container.removed", id });
      return;
    }
    const adopted = adoption?.of(info);
    const app = adopted?.app ?? appOf(info.Config.Labels ?? {}, serial);
    if (!app) return;
    const container = containerOf(info, adopted);
    known.set(id, { app, container });
    for (const fact of newsOf(before?.container, container)) tell(app, fact);
  }

  const tell = (app: AppId, fact: Extract<WatchFact, { type: "app.fact" }>["fact"]) =>
    say({ type: "app.fact", app, fact });

  run().catch((error: unknown) => {
    if (over.signal.aborted) return;
    over.abort();
    wake();
    say({ type: "engine.closed", because: AgentError.from(error).message });
  });
  return () => {
    over.abort(new Error("closed"));
    wake();
  };
}

type News = Extract<WatchFact, { type: "app.fact" }>["fact"];

/** What two looks at one container tell: a run is (id, startedAt), so a restart in between is an end and a start. */
function newsOf(before: Container | undefined, now: Container): News[] {
  const isSameRun = before?.startedAt === now.startedAt;
  const wasUp = before?.is === "up";
  const news: News[] = [];
  if (wasUp && !isSameRun) news.push({ type: "container.exited", id: now.id, startedAt: before.startedAt });
  if (now.is === "up" && (!wasUp || !isSameRun || (before.paused && !now.paused)))
    news.push({ type: "container.started", container: now });
  else if (now.paused && !before?.paused) news.push({ type: "container.paused", id: now.id });
  const isEnd = now.is === "down" && now.startedAt > 0 && !(before?.is === "down" && isSameRun);
  if (isEnd) news.push({ type: "container.exited", id: now.id, startedAt: now.startedAt, exitCode: now.exitCode });
  return news;
}

/** Rejects at the end of the stream, whatever ends it. */
async function readIds(stream: IncomingMessage, onId: (id: string) => void): Promise<never> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const id = idIn(line);
      if (id) onId(id);
    }
  }
  throw new AgentError("engine_unreachable", "the event stream ended");
}

function idIn(line: string): string | undefined {
  try {
    const { id } = JSON.parse(line) as { id?: unknown };
    return typeof id === "string" && /^[0-9a-f]{64}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
