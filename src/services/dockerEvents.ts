/**
 * The one event stream of the engine. Docker's events are hints: each only says which container to look at, and what is
 * told is what the look shows. Open the stream, then look at all, then follow: nothing falls in between. The engine answers
 * before it hears of events, so it is asked for those of the last moments too.
 *
 * A reader that stops reading slows the whole engine (100 ms an event after about 1,280 of them), so the stream is read at
 * once and only ids are kept. The open stream is the sign of life; a slow look shows an engine that is frozen.
 */
import type { IncomingMessage } from "node:http";
import type { AppId, Container, WatchFact } from "../model/app.ts";
import { type Ms, minutes } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import { appOf, KEPT, LABELS } from "../model/names.ts";
import type { Adoption } from "./adoption.ts";
import type { Engine } from "./docker.ts";
import { containerOf } from "./dockerFacts.ts";

export interface WatchOptions {
  readonly engine: Engine;
  readonly serial: string;
  /** Containers that are ours without our labels. */
  readonly adoption?: Adoption;
  readonly now: () => number;
  /** How often an engine that says nothing is asked whether it lives. Default 5 min. */
  readonly lookEvery?: Ms;
}

interface Seen {
  readonly app: AppId;
  readonly container: Container;
  /** Put aside by an update. */
  readonly isKept: boolean;
}

/** How long an engine that has answered may take until it hears of events, ms; it remembers the last 256. */
const LATEST_START = 5_000;

/** Watches until it is closed; then nothing more is said. `engine.closed` is said once, last. */
export function watchEngine(options: WatchOptions, say: (fact: WatchFact) => void): () => void {
  const { engine, serial, adoption, now, lookEvery = minutes(5) } = options;
  const over = new AbortController();
  const known = new Map<string, Seen>();
  const queue = new Set<string>();
  let wake = () => {};

  async function run(): Promise<void> {
    const stream = await engine.events(now() - LATEST_START, over.signal);
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
    if (why === "time") await lookForLies();
  }

  /** Events get lost (docker/for-linux 761, moby 37848). One list shows what none told of; an engine that is frozen shows too. */
  async function lookForLies(): Promise<void> {
    const there = new Map(
      (await engine.containers([`${LABELS.serial}=${serial}`])).map(({ Id, State }) => [Id, State]),
    );
    for (const [id, { container }] of known) if (there.get(id) !== STATE_OF[container.is]) queue.add(id);
    for (const id of there.keys()) if (!known.has(id)) queue.add(id);
  }

  async function look(id: string): Promise<void> {
    const info = await engine.container(id);
    over.signal.throwIfAborted();
    const before = known.get(id);
    if (!info) {
      known.delete(id);
      if (before) tell(before, { type: "container.removed", id });
      return;
    }
    const adopted = adoption?.of(info);
    const app = adopted?.app ?? appOf(info.Config.Labels ?? {}, serial);
    if (!app) return;
    const container = containerOf(info, adopted);
    const seen = { app, container, isKept: info.Name.endsWith(KEPT) };
    known.set(id, seen);
    for (const fact of newsOf(before?.container, container)) tell(seen, fact);
  }

  const tell = ({ app, isKept }: Seen, fact: News) =>
    say({ type: "app.fact", app, fact, ...(isKept && { isOfKept: true }) });

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

/** As the engine's list says it. One that is paused looks like another one, and is looked at once more. */
const STATE_OF: Readonly<Record<Container["is"], string>> = { made: "created", up: "running", down: "exited" };

type News = Extract<WatchFact, { type: "app.fact" }>["fact"];

/** What two looks at one container tell: a run is (id, startedAt), so a restart in between is an end and a start. */
function newsOf(before: Container | undefined, now: Container): News[] {
  const isSameRun = before?.startedAt === now.startedAt;
  const unseen: News[] =
    before?.is === "up" && !isSameRun ? [{ type: "container.exited", id: now.id, startedAt: before.startedAt }] : [];
  if (now.is === "up") return [...unseen, ...newsOfRun(isSameRun ? before : undefined, now)];
  const isEnd = now.is === "down" && now.startedAt > 0 && !(before?.is === "down" && isSameRun);
  if (!isEnd) return unseen;
  const { id, startedAt, exitCode, endedAt, isOutOfMemory } = now;
  const end = { ...(endedAt !== undefined && { endedAt }), ...(isOutOfMemory && { isOutOfMemory }) };
  return [...unseen, { type: "container.exited", id, startedAt, exitCode, ...end }];
}

/** What is new about one that runs. */
function newsOfRun(before: Container | undefined, now: Container): News[] {
  const { id, health, healthSays } = now;
  if (now.paused && !before?.paused) return [{ type: "container.paused", id }];
  if (before?.is !== "up" || (before.paused && !now.paused)) return [{ type: "container.started", container: now }];
  return health && health !== before.health ? [{ type: "container.health", id, health, healthSays }] : [];
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
