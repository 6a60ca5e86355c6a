/**
 * Tells the back end the newest state of each app. Level-triggered: what counts is the state that was said last and the
 * one that was told last. One call in flight for each app; while it is pending, or the link is down, changes fall
 * together into the newest; of one tick only the newest goes out. Each link begins with telling every app.
 * At least once: a call that fails is made again, later each time. Rests in: offline, online. Picture: diagrams/reporter.svg
 */
import { assign, type DoneActorEvent, type ErrorActorEvent, enqueueActions, raise, setup, stopChild } from "xstate";
import { type AppId, type AppReport, appName, type WireState } from "../model/app.ts";
import { fullJitter } from "../model/backoff.ts";
import { ms, seconds } from "../model/duration.ts";
import { slot } from "./slot.ts";

/** What one app has said, and what the back end has heard of it on this link. */
export interface Told {
  readonly report: AppReport;
  readonly told?: WireState | undefined;
  /** The state in the call that is under way. */
  readonly telling?: WireState | undefined;
  /** Calls in a row that failed. While it is tried again later, `isLater`. */
  readonly failures: number;
  readonly isLater: boolean;
}

interface ReporterContext {
  readonly apps: ReadonlyMap<string, Told>;
  readonly random: () => number;
}

export interface TellInput {
  readonly app: AppId;
  readonly state: WireState;
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

export const reporterMachine = setup({
  types: {} as {
    context: ReporterContext;
    events: ReporterEvent;
    input: { readonly random: () => number };
  },

  actors: { tellState: slot<void, TellInput>("tellState") },

  actions: {
    note: assign({
      apps: ({ context: { apps } }, report: AppReport) => {
        const name = appName(report.app);
        return changed(apps, name, { failures: 0, isLater: false, ...apps.get(name), report });
      },
    }),
    forget: assign({
      apps: ({ context: { apps } }, { app }: { app: AppId }) =>
        new Map([...apps].filter(([name]) => name !== appName(app))),
    }),
    forgetTold: assign({
      apps: ({ context: { apps } }) =>
        new Map([...apps].map(([name, { report }]) => [name, { report, failures: 0, isLater: false }])),
    }),
    forgetToldOf: assign({
      apps: ({ context: { apps } }, { app }: { app: AppId }) => {
        const each = apps.get(appName(app));
        return each ? changed(apps, appName(app), { ...each, told: undefined }) : apps;
      },
    }),
    tellSoon: raise({ type: "report.due" }, { id: "due", delay: ms(0) }),
    tellAll: enqueueActions(({ context: { apps }, enqueue }) => {
      const due = [...apps].filter(([, each]) => isDue(each));
      enqueue.assign({
        apps: new Map([
          ...apps,
          ...due.map(([name, each]) => [name, { ...each, telling: each.report.state }] as const),
        ]),
      });
      for (const [name, { report }] of due)
        enqueue.spawnChild("tellState", { id: `tell:${name}`, input: { app: report.app, state: report.state } });
    }),
    reap: stopChild((_, { id }: { id: string }) => id),
    reapAll: enqueueActions(({ context: { apps }, enqueue }) => {
      for (const [name, { telling }] of apps) if (telling) enqueue.stopChild(`tell:${name}`);
    }),
    noteTold: assign({
      apps: ({ context: { apps } }, { id }: { id: string }) => {
        const name = nameIn(id);
        const each = apps.get(name);
        if (!each) return apps;
        return changed(apps, name, { report: each.report, told: each.telling, failures: 0, isLater: false });
      },
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
  context: ({ input }) => ({ ...input, apps: new Map() }),
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
export const isAllTold = ({ apps }: Pick<ReporterContext, "apps">): boolean =>
  [...apps.values()].every((each) => each.telling === undefined && !isDue(each));

const isDue = ({ report, told, telling, isLater }: Told): boolean =>
  telling === undefined && !isLater && report.state !== told;

const changed = (apps: ReadonlyMap<string, Told>, name: string, each: Told) => new Map(apps).set(name, each);
const nameIn = (id: string) => id.replace(/^tell:/, "");
