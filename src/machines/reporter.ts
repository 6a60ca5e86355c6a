/**
 * Tells the back end the newest state of each app. Level-triggered: what counts is the state that was said last and the
 * one that was told last. One call in flight for each app; while it is pending, or the link is down, changes fall
 * together into the newest; of one tick only the newest goes out. Each link begins with telling every app.
 * What says how an update ended is an edge: those of one app go out in order, each of them, whatever has come since.
 * At least once: a call that fails is made again, later each time. Rests in: offline, online. Picture: diagrams/reporter.svg
 */
import { assign, type DoneActorEvent, type ErrorActorEvent, enqueueActions, raise, setup, stopChild } from "xstate";
import { type AppId, type AppReport, appName, type UpdateStatus, type WireState } from "../model/app.ts";
import { fullJitter } from "../model/backoff.ts";
import { ms, seconds } from "../model/duration.ts";
import { slot } from "./slot.ts";

/** What one app has said, and what the back end has heard of it on this link. */
export interface Told {
  readonly report: AppReport;
  readonly told?: WireState | undefined;
  /** What is in the call that is under way. */
  readonly telling?: AppReport | undefined;
  /** Calls in a row that failed. While it is tried again later, `isLater`. */
  readonly failures: number;
  readonly isLater: boolean;
  /** Asked for once more while the call was under way: its answer does not count. */
  readonly isRepeated?: boolean;
}

interface ReporterContext {
  readonly apps: ReadonlyMap<string, Told>;
  /** Ends of updates that nobody has heard of yet, oldest first. Whoever keeps them compares identities. */
  readonly untold: readonly AppReport[];
  readonly random: () => number;
}

export interface TellInput {
  readonly app: AppId;
  readonly state: WireState;
  readonly version: string;
  readonly updateStatus?: UpdateStatus | undefined;
}

type ReporterEvent =
  | AppReport
  | { readonly type: "link.up" }
  | { readonly type: "link.down" }
  | { readonly type: "app.forgotten"; readonly app: AppId }
  | { readonly type: "report.repeat"; readonly app: AppId }
  | { readonly type: "report.due" }
  | { readonly type: "report.again"; readonly name: string }
  | DoneActorEvent
  | ErrorActorEvent;

const FIRST_RETRY = seconds(1);
const LONGEST_RETRY = seconds(60);
/** Each update leaves three; a back end that hears of none for so long has other troubles. */
const MOST_UNTOLD = 300;

export const reporterMachine = setup({
  types: {} as {
    context: ReporterContext;
    events: ReporterEvent;
    input: { readonly untold?: readonly AppReport[] | undefined; readonly random: () => number };
  },

  actors: { tellState: slot<void, TellInput>("tellState") },

  actions: {
    note: assign({
      apps: ({ context: { apps } }, report: AppReport) => {
        const name = appName(report.app);
        return changed(apps, name, { failures: 0, isLater: false, ...apps.get(name), report });
      },
      untold: ({ context: { untold } }, report: AppReport) =>
        report.updateStatus ? [...untold, report].slice(-MOST_UNTOLD) : untold,
    }),
    forget: assign({
      apps: ({ context: { apps } }, { app }: { app: AppId }) =>
        new Map([...apps].filter(([name]) => name !== appName(app))),
      untold: ({ context: { untold } }, { app }: { app: AppId }) =>
        untold.filter((report) => appName(report.app) !== appName(app)),
    }),
    forgetTold: assign({
      apps: ({ context: { apps } }) =>
        new Map([...apps].map(([name, { report }]) => [name, { report, failures: 0, isLater: false }])),
    }),
    forgetToldOf: assign({
      apps: ({ context: { apps } }, { app }: { app: AppId }) => {
        const each = apps.get(appName(app));
        return each
          ? changed(apps, appName(app), { ...each, told: undefined, isRepeated: each.telling !== undefined })
          : apps;
      },
    }),
    tellSoon: raise({ type: "report.due" }, { id: "due", delay: ms(0) }),
    tellAll: enqueueActions(({ context, enqueue }) => {
      const due = [...context.apps].flatMap(([name, each]) => {
        const telling = dueOf(context, each);
        return telling ? [[name, { ...each, telling }] as const] : [];
      });
      enqueue.assign({ apps: new Map([...context.apps, ...due]) });
      for (const [name, { telling }] of due) enqueue.spawnChild("tellState", { id: `tell:${name}`, input: telling });
    }),
    reap: stopChild((_, { id }: { id: string }) => id),
    reapAll: enqueueActions(({ context: { apps }, enqueue }) => {
      for (const [name, { telling }] of apps) if (telling) enqueue.stopChild(`tell:${name}`);
    }),
    noteTold: assign(({ context: { apps, untold } }, { id }: { id: string }) => {
      const name = nameIn(id);
      const { report, telling, isRepeated } = apps.get(name) ?? {};
      if (!report) return {};
      const told = isRepeated ? undefined : telling?.state;
      return {
        apps: changed(apps, name, { report, told, failures: 0, isLater: false }),
        untold: telling && untold.includes(telling) ? untold.filter((each) => each !== telling) : untold,
      };
    }),
    noteFailed: assign({
      apps: ({ context: { apps } }, { id }: { id: string }) => {
        const name = nameIn(id);
        const each = apps.get(name);
        if (!each) return apps;
        const { report, told, failures } = each;
        return changed(apps, name, { report, told, failures: failures + 1, isLater: true });
      },
    }),
    tellLater: enqueueActions(({ context: { apps, random }, enqueue }, { id }: { id: string }) => {
      const name = nameIn(id);
      const delay = fullJitter(FIRST_RETRY, LONGEST_RETRY, Math.min(apps.get(name)?.failures ?? 1, 10), random);
      enqueue.raise({ type: "report.again", name }, { id: `again:${name}`, delay });
    }),
    endWait: assign({
      apps: ({ context: { apps } }, { name }: { name: string }) => {
        const each = apps.get(name);
        return each ? changed(apps, name, { ...each, isLater: false }) : apps;
      },
    }),
  },
}).createMachine({
  id: "reporter",
  context: ({ input: { untold = [], random } }) => ({ untold, random, apps: new Map() }),
  options: { maxIterations: 50 },
  initial: "offline",

  on: {
    "app.changed": { actions: { type: "note", params: ({ event }) => event } },
    "app.forgotten": { actions: { type: "forget", params: ({ event }) => event } },
  },

  states: {
    offline: { on: { "link.up": "online" } },

    online: {
      entry: ["forgetTold", "tellAll"],
      exit: "reapAll",
      on: {
        "link.down": "offline",
        "app.changed": { actions: [{ type: "note", params: ({ event }) => event }, "tellSoon"] },
        "report.repeat": { actions: [{ type: "forgetToldOf", params: ({ event }) => event }, "tellSoon"] },
        "report.due": { actions: "tellAll" },
        "report.again": { actions: [{ type: "endWait", params: ({ event }) => event }, "tellAll"] },
        "xstate.done.actor.*": {
          actions: [
            { type: "reap", params: ({ event }) => ({ id: event.actorId }) },
            { type: "noteTold", params: ({ event }) => ({ id: event.actorId }) },
            "tellAll",
          ],
        },
        "xstate.error.actor.*": {
          actions: [
            { type: "reap", params: ({ event }) => ({ id: event.actorId }) },
            { type: "noteFailed", params: ({ event }) => ({ id: event.actorId }) },
            { type: "tellLater", params: ({ event }) => ({ id: event.actorId }) },
          ],
        },
      },
    },
  },
});

/** True when nothing is left to be told now: everybody was heard, or waits after a failure. */
export const isAllTold = (context: Pick<ReporterContext, "apps" | "untold">): boolean =>
  [...context.apps.values()].every((each) => each.telling === undefined && !dueOf(context, each));

/** What the back end has to hear next about an app: the ends of its updates first, then what it is now. */
function dueOf({ untold }: Pick<ReporterContext, "untold">, each: Told): AppReport | undefined {
  const { report, told, telling, isLater } = each;
  if (telling !== undefined || isLater) return undefined;
  const end = untold.find(({ app }) => appName(app) === appName(report.app));
  return end ?? (report.state === told ? undefined : report);
}

const changed = (apps: ReadonlyMap<string, Told>, name: string, each: Told) => new Map(apps).set(name, each);
const nameIn = (id: string) => id.replace(/^tell:/, "");
