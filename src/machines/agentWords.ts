/** The words of the chart in agent.ts: whom it routes what to, and how it puts a fresh child in the place of a dead one. */
import {
  type ActorRefFrom,
  type AnyActorRef,
  assertEvent,
  assign,
  type ErrorActorEvent,
  enqueueActions,
  setup,
} from "xstate";
import * as Model from "../model/app.ts";
import { minutes, ms, seconds } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import type { Outage } from "../model/link.ts";
import { afterRequest } from "../model/memory.ts";
import { appMachine } from "./app.ts";
import type { Updates } from "./appContext.ts";
import { type ConnectionReport, connectionMachine } from "./connection.ts";
import { engineMachine } from "./engine.ts";
import { logsMachine } from "./logs.ts";
import { reporterMachine } from "./reporter.ts";
import { sweep } from "./sweep.ts";

/** What is remembered about an app when a fresh actor takes it over: from the disk, or from an actor that died. */
export interface KnownApp {
  readonly app: Model.AppId;
  readonly desired: Model.Desired;
  readonly memory: Model.Memory;
  readonly error?: AgentError | undefined;
}

export interface AgentInput {
  readonly known: readonly KnownApp[];
  /** True: no router is ever dialled. */
  readonly isOffline?: boolean;
  readonly updates: Updates;
  /** Ends of updates that the back end has not heard of. */
  readonly untold?: readonly Model.AppReport[];
  readonly now: () => number;
  readonly random: () => number;
}

type AppRef = ActorRefFrom<typeof appMachine>;
interface AgentContext extends AgentInput {
  readonly apps: ReadonlyMap<string, AppRef>;
  /** Apps whose actor died and has no successor yet. */
  readonly orphaned: ReadonlyMap<string, KnownApp>;
  /** Child id -> crashes in a row. */
  readonly crashes: ReadonlyMap<string, number>;
  /** What each app said last, for a reporter that begins anew. */
  readonly reports: ReadonlyMap<string, Model.AppReport>;
  readonly isLinked: boolean;
  /** The outage in which a connection died: its successor goes on counting. */
  readonly outage?: Outage | undefined;
}

/** An order that is on disk already. */
interface Ordered {
  readonly type: "app.ordered";
  readonly app: Model.AppId;
  readonly desired: Model.Desired;
  readonly by: Model.Asker;
}
/** forget: it is removed, and nobody wants to hear of it any more. */
type Command =
  | { readonly type: "app.retry"; readonly app: Model.AppId }
  | { readonly type: "app.hold"; readonly app: Model.AppId }
  | { readonly type: "app.forget"; readonly app: Model.AppId };

type AgentEvent =
  | Ordered
  | Command
  | Model.AppReport
  | Model.AppRepeat
  | Model.AppFact
  | Model.EngineFact
  | ConnectionReport
  | { readonly type: "link.dial" }
  | { readonly type: "agent.stop" }
  | { readonly type: "child.restart"; readonly id: string }
  | { readonly type: "crashes.forget" }
  | ErrorActorEvent;

const FIRST_RESTART = seconds(1);
const LONGEST_RESTART = seconds(60);
const QUIET_AFTER = minutes(10);
const LEAVE_WITHIN = seconds(3);

export const agent = setup({
  types: {} as {
    context: AgentContext;
    events: AgentEvent;
    input: AgentInput;
    children: { connection: "connection"; engine: "engine"; reporter: "reporter" };
  },

  actors: {
    app: appMachine,
    connection: connectionMachine,
    engine: engineMachine,
    logs: logsMachine,
    reporter: reporterMachine,
  },

  actions: {
    spawnEngine: enqueueActions(({ context: { now, random }, self, enqueue }) => {
      enqueue.spawnChild("engine", { id: "engine", input: { parent: self, now, random } });
    }),
    spawnReporter: enqueueActions(({ context: { random, reports, untold, isLinked }, enqueue }) => {
      enqueue.spawnChild("reporter", { id: "reporter", input: { untold, random } });
      for (const report of reports.values()) enqueue.sendTo("reporter", report);
      if (isLinked) enqueue.sendTo("reporter", { type: "link.up" });
    }),
    spawnConnection: enqueueActions(({ context: { now, random, outage }, self, enqueue }) => {
      enqueue.spawnChild("connection", { id: "connection", input: { parent: self, outage, now, random } });
    }),
    spawnKnownApps: assign({
      apps: ({ context, spawn, self }) => {
        const { updates, now, random } = context;
        const inputOf = (known: KnownApp) => ({ ...known, parent: self, updates, now, random });
        return new Map(
          context.known.map((known) => {
            const name = Model.appName(known.app);
            return [name, spawn("app", { id: `app:${name}`, input: inputOf(known) })] as const;
          }),
        );
      },
    }),

    /** The desire goes to the app's actor; a new app, and one whose actor died, gets a fresh one with it. */
    order: enqueueActions(({ context, event, self, enqueue }) => {
      assertEvent(event, "app.ordered");
      const { app, desired, by } = event;
      const name = Model.appName(app);
      const ref = context.apps.get(name);
      if (ref) return enqueue.sendTo(ref, { type: "app.request", desired, by });
      const dead = context.orphaned.get(name);
      const memory = dead ? afterRequest(dead.memory, dead.desired, desired, by) : Model.NOTHING_REMEMBERED;
      const known: KnownApp = { app, desired, memory };
      const { updates, now, random } = context;
      enqueue.cancel(`restart:app:${name}`);
      enqueue.assign({
        orphaned: ({ context: { orphaned } }) => without(orphaned, name),
        apps: ({ context: { apps }, spawn }) =>
          new Map(apps).set(
            name,
            spawn("app", { id: `app:${name}`, input: { ...known, parent: self, updates, now, random } }),
          ),
      });
    }),
    passOn: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["app.retry", "app.hold"]);
      const ref = context.apps.get(Model.appName(event.app));
      const { type } = event;
      if (ref) enqueue.sendTo(ref, type === "app.retry" ? { type } : { type });
    }),
    forget: enqueueActions(({ context, event, self, enqueue }) => {
      assertEvent(event, "app.forget");
      const name = Model.appName(event.app);
      const ref = context.apps.get(name);
      if (ref) enqueue.stopChild(ref);
      enqueue.stopChild(`logs:${name}`);
      enqueue.assign({ apps: without(context.apps, name), reports: without(context.reports, name) });
      if (childOf(self, "reporter")) enqueue.sendTo("reporter", { type: "app.forgotten", app: event.app });
    }),
    repeat: enqueueActions(({ event, self, enqueue }) => {
      assertEvent(event, "app.repeat");
      if (childOf(self, "reporter")) enqueue.sendTo("reporter", { type: "report.repeat", app: event.app });
    }),
    report: enqueueActions(({ context, event, self, enqueue }) => {
      assertEvent(event, "app.changed");
      const { updateStatus: _, ...newest } = event;
      enqueue.assign({ reports: new Map(context.reports).set(Model.appName(event.app), newest) });
      if (childOf(self, "reporter")) enqueue.sendTo("reporter", event);
    }),
    passFact: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, "app.fact");
      const ref = context.apps.get(Model.appName(event.app));
      if (ref) enqueue.sendTo(ref, event.fact);
    }),
    /** The output of every run is followed, by one actor for each app; also of one that was over before it was seen. */
    follow: enqueueActions(({ event, self, enqueue }) => {
      assertEvent(event, "app.fact");
      const { app, fact, isOfKept } = event;
      if (isOfKept || (fact.type !== "container.started" && fact.type !== "container.exited")) return;
      const isOver = fact.type === "container.exited";
      const { id, startedAt } = isOver ? fact : fact.container;
      const logs = `logs:${Model.appName(app)}`;
      if (!childOf(self, logs)) enqueue.spawnChild("logs", { id: logs, input: { app } });
      enqueue.sendTo(logs, { type: "logs.follow", id, startedAt, isOver });
    }),
    tellApps: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ["engine.back", "engine.lost"]);
      for (const ref of context.apps.values()) enqueue.sendTo(ref, event);
    }),
    tellReporter: enqueueActions(({ event, self, enqueue }) => {
      assertEvent(event, ["link.up", "link.down"]);
      enqueue.assign({ isLinked: event.type === "link.up" });
      if (childOf(self, "reporter")) enqueue.sendTo("reporter", { type: event.type });
    }),
    connect: enqueueActions(({ context, enqueue }) => {
      if (!context.isOffline) enqueue.sendTo("connection", { type: "connection.start" });
    }),
    dial: enqueueActions(({ self, enqueue }) => {
      if (childOf(self, "connection")) enqueue.sendTo("connection", { type: "connection.dial" });
    }),
    leave: enqueueActions(({ self, enqueue }) => {
      if (childOf(self, "connection")) enqueue.sendTo("connection", { type: "connection.stop" });
      else enqueue.raise({ type: "link.closed" });
    }),

    /** Sweeps what a dead child left behind, frees its id, and keeps what its successor needs. */
    bury: enqueueActions(({ context, event, self, enqueue }) => {
      const id = diedIn(event);
      const dead = childOf(self, id);
      enqueue(() => sweep(dead));
      enqueue.stopChild(id);
      enqueue.assign({ crashes: new Map(context.crashes).set(id, (context.crashes.get(id) ?? 0) + 1) });
      const remains = remainsOf(dead);
      if (id === "connection") enqueue.assign({ outage: remains.outage });
      if (id === "reporter") enqueue.assign({ untold: remains.untold ?? [] });
      if (id === "connection") enqueue.raise({ type: "link.down" });
      if (id === "engine") enqueue.raise({ type: "engine.lost" });
      const { app, desired, memory } = remains;
      if (!app || !desired || !memory || !id.startsWith("app:")) return;
      const name = Model.appName(app);
      const error = AgentError.from("error" in event ? event.error : undefined);
      enqueue.assign({
        apps: without(context.apps, name),
        orphaned: new Map(context.orphaned).set(name, { app, desired, memory, error }),
      });
      enqueue.raise({ type: "app.changed", app, state: "FAILED", version: desired.version, error });
    }),
    restartLater: enqueueActions(({ context, event, enqueue }) => {
      const id = diedIn(event);
      const crashes = context.crashes.get(id) ?? 1;
      const delay = ms(Math.min(FIRST_RESTART * 2 ** (crashes - 1), LONGEST_RESTART));
      enqueue.raise({ type: "child.restart", id }, { id: `restart:${id}`, delay });
      enqueue.cancel("quiet");
      enqueue.raise({ type: "crashes.forget" }, { id: "quiet", delay: QUIET_AFTER });
    }),
    restartApp: enqueueActions(({ context, event, self, enqueue }) => {
      assertEvent(event, "child.restart");
      const { id } = event;
      const known = context.orphaned.get(id.replace(/^app:/, ""));
      if (!known) return;
      const { updates, now, random } = context;
      const name = Model.appName(known.app);
      enqueue.assign({
        orphaned: without(context.orphaned, name),
        apps: ({ context: { apps }, spawn }) =>
          new Map(apps).set(name, spawn("app", { id, input: { ...known, parent: self, updates, now, random } })),
      });
    }),
    forgetCrashes: assign({ crashes: new Map() }),
  },

  guards: {
    isEngine: ({ event }) => event.type === "child.restart" && event.id === "engine",
    isReporter: ({ event }) => event.type === "child.restart" && event.id === "reporter",
    isConnection: ({ event }) => event.type === "child.restart" && event.id === "connection",
  },

  delays: { leaveWithin: LEAVE_WITHIN },
});

const diedIn = (event: { readonly type: string }): string => event.type.replace(/^xstate\.error\.actor\./, "");

function childOf(self: AnyActorRef, id: string): AnyActorRef | undefined {
  return (self.getSnapshot() as { children: Record<string, AnyActorRef | undefined> }).children[id];
}

function remainsOf(dead: AnyActorRef | undefined): Partial<KnownApp> & {
  outage?: Outage | undefined;
  untold?: readonly Model.AppReport[];
} {
  return (dead?.getSnapshot() as { context?: object } | undefined)?.context ?? {};
}

function without<Value>(all: ReadonlyMap<string, Value>, name: string): ReadonlyMap<string, Value> {
  return new Map([...all].filter(([each]) => each !== name));
}
