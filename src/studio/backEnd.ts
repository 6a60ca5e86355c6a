/**
 * The back end as a client of a router, embedded or not: it joins as `system`, answers devices, hears testaments and logs,
 * and passes wishes on. When its link ends it dials again, with the waits of an agent, until it is stopped.
 */
import { setTimeout as pause } from "node:timers/promises";
import { remaining } from "../model/backoff.ts";
import { afterEnd, LONGEST_WAIT, type Outage } from "../model/link.ts";
import { authidOf, procedureName } from "../model/names.ts";
import { AgentAnswer, type Granted, readLog } from "../model/studio.ts";
import { cause, RequestError } from "../services/wampCauses.ts";
import type { Endpoint } from "../services/wampEndpoint.ts";
import { Session } from "../services/wampSession.ts";
import type { SessionFact } from "../services/wampSessionOptions.ts";
import { requestOf } from "./appSync.ts";
import { backEndProcedures, disconnected, nameOf, type Office, testified } from "./backEndProcedures.ts";
import type { DeviceRow, WishRow } from "./desiredStates.ts";
import type { BackEndLogin } from "./studioRouter.ts";

export interface BackEndOptions extends Office {
  /** Of the router. */
  readonly url: string;
  /** Default is realm1. */
  readonly realm?: string;
  readonly login: BackEndLogin;
  /** What the router asks, beside what devices ask. */
  readonly gate?: ReadonlyMap<string, Endpoint>;
  /** Follow what the devices' apps say; each device then sends all of it. */
  readonly logs: boolean;
  readonly random: () => number;
}

export type Reply = Pick<Granted, "outcome" | "why">;

const PRESENCE = "wamp_connection_established";

export class BackEnd {
  readonly #options: BackEndOptions;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  readonly #firstUp = Promise.withResolvers<void>();
  #session: Session | undefined;

  constructor(options: BackEndOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves when it answers for the first time. Never rejects: `link.down` events say what is in the way. */
  get ready(): Promise<void> {
    return this.#firstUp.promise;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#session?.leave(1_000);
    await this.#running;
  }

  /** Sends a device away, as an operator may; it comes back by itself. */
  async sendAway(device: DeviceRow): Promise<void> {
    await this.#session?.call("wamp.session.kill_by_authid", [authidOf(device)]);
  }

  /** Brings a wish to its device. Never rejects. */
  async request(device: DeviceRow, wish: WishRow): Promise<Reply> {
    const session = this.#session;
    if (!session?.isJoined)
      return { outcome: "kept", why: "the studio has no link to the router; the device asks later" };
    const procedure = procedureName(device.serial, "request_app_state");
    try {
      const { kwargs } = await session.call(procedure, [], requestOf(wish, this.#options.accounts[0]));
      const answer = AgentAnswer.safeParse(kwargs);
      return answer.success ? answer.data : { outcome: "accepted", why: "the device says no more than that" };
    } catch (error) {
      return replyTo(error, device);
    }
  }

  /** Hears what the apps of a device say, from now on. */
  follow(device: DeviceRow): void {
    const session = this.#session;
    if (!this.#options.logs || !session?.isJoined) return;
    this.#hear(session, device).catch((error: unknown) => this.#complain(`logs of ${device.name}`, error));
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    let outage: Outage | undefined;
    while (!signal.aborted) {
      let onlineSince: number | undefined;
      const lost = await this.#link(() => {
        onlineSince = Date.now();
      });
      if (signal.aborted) return;
      const because = `${lost.cause.because} ${lost.cause.detail}`.trim();
      outage = afterEnd(outage, { ending: lost.ending, because, onlineSince }, Date.now(), this.#options.random);
      this.#options.emit({ type: "link.down", because });
      await pause(remaining(outage.retryAt, Date.now(), LONGEST_WAIT), undefined, { signal }).catch(() => {});
    }
  }

  /** One attempt, from the dial to its end. */
  #link(onUp: () => void): Promise<Extract<SessionFact, { type: "lost" }>> {
    const { url, realm = "realm1", login } = this.#options;
    const { secret, ...identity } = login;
    return new Promise((resolve) => {
      const session = new Session({
        url,
        realm,
        ...identity,
        readSecret: () => secret,
        agent: "reagent-studio",
        laneOf: () => "control",
        onProblem: (what, error) => this.#complain(what, error),
        onFact: (fact) => {
          if (fact.type === "lost") resolve(fact);
          if (fact.type === "welcomed") void this.#open(session, onUp);
        },
      });
      this.#session = session;
    });
  }

  /** All that devices need is there before it says that it is up. What fails ends the link. */
  async #open(session: Session, onUp: () => void): Promise<void> {
    const office = this.#options;
    try {
      await session.subscribe("reswarm.api.testament_device", (args) => testified(office, args));
      if (office.logs) await Promise.all(office.store.devices().map((device) => this.#hear(session, device)));
      const all = [...backEndProcedures(office), ...(office.gate ?? [])];
      await Promise.all(all.map(([name, endpoint]) => session.register(name, endpoint)));
      await this.#missed(session);
    } catch (error) {
      const uri = error instanceof RequestError ? (error.uri ?? error.code) : "internal";
      return session.end(cause("ours", uri, String(error)));
    }
    onUp();
    office.emit({ type: "link.up" });
    this.#firstUp.resolve();
  }

  /** Testaments that spoke while nobody heard: whose presence nobody holds any more is gone. */
  async #missed(session: Session): Promise<void> {
    for (const device of this.#options.store.devices().filter(({ status }) => status !== "DISCONNECTED")) {
      const { args } = await session.call("wamp.registration.match", [procedureName(device.serial, PRESENCE)]);
      if (args[0] === null) disconnected(this.#options, device);
    }
  }

  async #hear(session: Session, device: DeviceRow): Promise<void> {
    const prefix = `reswarm.logs.${device.serial}.`;
    const handler = (args: unknown[], _: unknown, { topic }: { readonly topic: string }) => {
      const container = topic.slice(prefix.length);
      this.#options.emit({ type: "log", device: nameOf(device), container, lines: readLog(args) });
    };
    await session.subscribe(prefix, handler, { match: "prefix" });
  }

  #complain(about: string, error: unknown): void {
    const because = error instanceof Error ? error.message : String(error);
    this.#options.emit({ type: "problem", about, because: because.slice(0, 300) });
  }
}

function replyTo(error: unknown, device: DeviceRow): Reply {
  if (!(error instanceof RequestError)) throw error;
  if (error.uri === "wamp.error.no_such_procedure") {
    return { outcome: "kept", why: `${device.name} is not connected; it is told when it comes` };
  }
  return { outcome: "failed", why: (sentenceIn(error.args[0]) ?? error.message).slice(0, 300) };
}

/** An agent puts it into the first argument of its error. */
function sentenceIn(said: unknown): string | undefined {
  const sentence = typeof said === "object" && said !== null && "error" in said ? said.error : said;
  return typeof sentence === "string" ? sentence : undefined;
}
