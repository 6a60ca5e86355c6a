/**
 * What the tree shows of itself, as plain data: who is in which state, and what it remembers. For the status, the log and
 * the disk; nothing here changes anything.
 */
import type { AnyMachineSnapshot, InspectionEvent, SnapshotFrom } from "xstate";
import type { AppId, AppReport, WireState } from "../model/app.ts";
import type { AgentError } from "../model/errors.ts";
import type { Outage } from "../model/link.ts";
import type { Known } from "../model/plan.ts";
import type { agentMachine } from "./agent.ts";
import type { appMachine } from "./app.ts";
import { known } from "./appContext.ts";
import type { connectionMachine } from "./connection.ts";
import type { engineMachine } from "./engine.ts";
import type { reporterMachine } from "./reporter.ts";

export interface AppSeen extends Known {
  readonly app: AppId;
  /** As a path: `active.running.settling`. */
  readonly state: string;
  readonly error: AgentError | undefined;
}

/** What one machine is in after an event that it processed. */
export interface Seen {
  /** `connection`, `app:PROD:42` */
  readonly id: string;
  readonly state: string;
  readonly event: string;
  /** Of an app. */
  readonly app?: AppSeen | undefined;
  /** Of the reporter: ends of updates that the back end has not heard of. */
  readonly untold?: readonly AppReport[] | undefined;
}

/** An observer for the tree's `inspect`: each machine below the root, and the root, after each event. */
export const seeStates =
  (see: (seen: Seen) => void) =>
  (inspected: InspectionEvent): void => {
    if (inspected.type !== "@xstate.snapshot" || !("value" in inspected.snapshot)) return;
    const snapshot = inspected.snapshot as AnyMachineSnapshot;
    if (snapshot.status === "stopped") return;
    const id = "id" in inspected.actorRef ? String(inspected.actorRef.id) : "";
    const app = id.startsWith("app:") && snapshot.status === "active" ? appSeen(snapshot as never) : undefined;
    const untold = id === "reporter" ? (snapshot as SnapshotFrom<typeof reporterMachine>).context.untold : undefined;
    see({ id, state: pathOf(snapshot.value), event: inspected.event.type, app, untold });
  };

export function appSeen({ value, context }: SnapshotFrom<typeof appMachine>): AppSeen {
  const { app, error } = context;
  return { ...known(context), app, state: pathOf(value), error };
}

export interface Overview {
  /** Undefined while it begins anew after a defect; so is the engine. */
  readonly link: { readonly state: string; readonly attempt: number; readonly outage: Outage | undefined } | undefined;
  readonly engine:
    | { readonly state: string; readonly because: string | undefined; readonly retryAt: number }
    | undefined;
  readonly apps: readonly (AppSeen & { readonly wire: WireState | undefined })[];
}

export function overview({ context, children }: SnapshotFrom<typeof agentMachine>): Overview {
  const link = children["connection"]?.getSnapshot() as SnapshotFrom<typeof connectionMachine> | undefined;
  const engine = children["engine"]?.getSnapshot() as SnapshotFrom<typeof engineMachine> | undefined;
  return {
    link: link && { state: pathOf(link.value), attempt: link.context.attempt, outage: link.context.outage },
    engine: engine && { state: pathOf(engine.value), because: engine.context.because, retryAt: engine.context.retryAt },
    apps: [...context.apps].map(([name, ref]) => ({
      ...appSeen(ref.getSnapshot()),
      wire: context.reports.get(name)?.state,
    })),
  };
}

/** A state as one path, for machines without parallel states. */
export function pathOf(value: unknown): string {
  if (typeof value === "string") return value;
  const [key = "", child] = Object.entries(value as object)[0] ?? [];
  return child === undefined ? key : `${key}.${pathOf(child)}`;
}
