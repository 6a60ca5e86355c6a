/** What `reagent status` shows, put together from what the tree shows, what is on disk, and when it was seen. */
import { type AppId, appName, type Desired, type Facts, type Memory, type WireState } from "../model/app.ts";
import { type AgentError, errorRow } from "../model/errors.ts";
import type { Outage } from "../model/link.ts";
import type { AppOrder } from "../model/order.ts";
import type { Problem } from "../model/problem.ts";
import type { Status } from "../model/status.ts";
import type { TakenOver } from "../model/takenOver.ts";
import type { LinkWords } from "./linkLog.ts";

export interface Shown {
  readonly link: { readonly state: string; readonly outage: Outage | undefined } | undefined;
  readonly engine:
    | { readonly state: string; readonly because: string | undefined; readonly retryAt: number }
    | undefined;
  readonly apps: readonly ShownApp[];
}

interface ShownApp {
  readonly app: AppId;
  readonly state: string;
  readonly desired: Desired;
  readonly facts?: Facts | undefined;
  readonly memory: Memory;
  readonly error: AgentError | undefined;
  readonly wire: WireState | undefined;
}

export interface About {
  readonly version: string;
  readonly startedAt: number;
  readonly home: string;
  readonly socket: string;
  readonly serial: string;
  /** Where the link goes, or would go. */
  readonly url: string;
  readonly problems: readonly Problem[];
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  readonly takenOver: TakenOver | undefined;
  readonly linkWords: (because: string) => LinkWords;
  /** When an actor came into its state. */
  readonly since: (actor: string) => number;
}

/** What an actor is in that died and has no successor yet. */
const DEAD = "beginning anew";

export function statusOf({ link, engine, apps }: Shown, about: About): Status {
  const { version, startedAt, home, socket, serial, url, problems, since, linkWords, takenOver } = about;
  const isWaiting = link?.state.startsWith("waiting") === true;
  return {
    version,
    pid: process.pid,
    since: startedAt,
    serial,
    home,
    link: {
      state: link?.state ?? DEAD,
      since: since("connection"),
      url,
      ...(link?.outage && {
        because: link.outage.because,
        ...linkWords(link.outage.because),
        failures: link.outage.failures,
      }),
      ...(isWaiting && link.outage && { retryAt: link.outage.retryAt }),
    },
    engine: {
      state: engine?.state ?? DEAD,
      since: since("engine"),
      socket,
      ...(engine?.because !== undefined && { because: engine.because }),
      ...(engine?.state === "waiting" && { retryAt: engine.retryAt }),
    },
    ...(takenOver && { takenOver }),
    apps: apps.map((app) => shownApp(app, about)),
    problems: [...problems],
  };
}

function shownApp({ app, state, desired, facts, memory, error, wire }: ShownApp, { orderOf, since }: About) {
  const { setAside, wayBack } = memory;
  const here = facts?.container?.version;
  return {
    stage: app.stage,
    key: app.key,
    name: orderOf(app)?.name ?? "",
    state,
    ...(wire && { wire }),
    since: since(`app:${appName(app)}`),
    target: desired.target,
    version: desired.version,
    ...(here !== undefined && { here }),
    ...(setAside && { setAside: { ...setAside, says: errorRow(setAside.because).says } }),
    ...(wayBack !== undefined && { wayBack }),
    failures: memory.failures,
    ...(memory.wait?.until !== undefined && { retryAt: memory.wait.until }),
    ...(error && { error: { code: error.code, says: error.message, todo: errorRow(error.code).todo } }),
  };
}
