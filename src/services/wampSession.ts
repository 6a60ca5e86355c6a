/**
 * One attempt on the router, from the dial to the closed socket. It reports facts, in order: challenged, welcomed, and
 * at the very end, exactly once, lost. It never dials again: that is the connection machine's business.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Session as AutobahnSession, Connection, TransportFactory } from "autobahn";
import { endingOf } from "../model/linkCauses.ts";
import { autobahn } from "./autobahnQuiet.ts";
import { answerChallenge } from "./wampAuth.ts";
import { type Cause, cause, RequestError } from "./wampCauses.ts";
import {
  type Dict,
  type Endpoint,
  type EventHandler,
  guardEndpoint,
  guardHandler,
  type Payload,
  payloadOf,
} from "./wampEndpoint.ts";
import type { Lane } from "./wampLanes.ts";
import { deferred, type ProgressPromise, Requests, requestError } from "./wampRequests.ts";
import type { CallOptions, Match, RegisterOptions, SessionOptions } from "./wampSessionOptions.ts";
import { checkUri } from "./wampText.ts";
import { LaneTransport } from "./wampTransport.ts";

const CONFLICT = /^wamp\.error\.procedure_(already_exists|exists_with_different_invocation_policy)$/;
const DEFAULT_METHOD = "wampcra";
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 2_000;

/** autobahn asks a factory for its transport; each connection brings its own. */
class Factory implements TransportFactory {
  readonly type = "lanes";
  readonly create: () => LaneTransport;
  constructor(options: { create: () => LaneTransport }) {
    this.create = options.create;
  }
}
autobahn.transports.register("lanes", Factory);

export class Session {
  /** Resolves when the socket is closed and nothing of this attempt is left. */
  readonly closed: Promise<void>;
  readonly #options: SessionOptions;
  readonly #requests = new Requests();
  readonly #over = new AbortController();
  readonly #resolveClosed: () => void;
  #transport: LaneTransport | undefined;
  #session: AutobahnSession | undefined;
  #joinTimer: NodeJS.Timeout | undefined;
  #leaveTimer: NodeJS.Timeout | undefined;
  #routerReason: Cause | undefined;
  #isLeaving = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#joinTimer = setTimeout(
      () => this.#transport?.fail(cause("deadline", "join_deadline")),
      options.joinWithin ?? 10_000,
    );
    this.#connect().open();
  }

  get isJoined(): boolean {
    return this.#session !== undefined && !this.#over.signal.aborted;
  }

  /** The router's number of this session; 0 before it is joined. */
  get id(): number {
    return this.#session?.id ?? 0;
  }

  /** Fires when the link ends, however it ends. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Settles always: by the answer, by the deadline plus the grace for a cancel, or by the end of the link. */
  async call(procedure: string, args: unknown[] = [], kwargs: Dict = {}, options: CallOptions = {}): Promise<Payload> {
    const session = this.#joined();
    const transport = this.#transport;
    checkUri(procedure);
    const { within = this.#options.requestWithin ?? 10_000, signal, onProgress } = options;
    let givenUp: "deadline" | "cancelled" | undefined;
    let request = 0;
    let asked: ProgressPromise | undefined;
    const start = () => {
      asked = session.call(procedure, args, kwargs, onProgress ? { receive_progress: true } : {}) as ProgressPromise;
      if (onProgress) asked.onProgress = (part) => onProgress(payloadOf(part));
      request = transport?.lastRequest ?? 0;
      return asked;
    };
    const giveUp = (why: "deadline" | "cancelled") => {
      givenUp = why;
      asked?.cancel({ mode: "kill" });
      return this.#options.cancelGrace ?? 1_000;
    };
    try {
      return payloadOf(await this.#requests.run(procedure, start, { within, signal, giveUp }));
    } catch (error) {
      transport?.settleCall(request, "wamp.error.canceled");
      const failure = requestError(procedure, error);
      throw givenUp && failure.uri !== undefined ? new RequestError(givenUp, procedure) : failure;
    }
  }

  /** Tries again while the name is taken. A revocation later on ends the link. Resolves with what undoes it. */
  async register(procedure: string, endpoint: Endpoint, options: RegisterOptions = {}): Promise<() => Promise<void>> {
    const { match, invoke, force = true, patience = 16_000 } = options;
    checkUri(procedure, match);
    const asked = { ...(match && { match }), ...(invoke && { invoke }), ...(force && { force_reregister: true }) };
    const begun = performance.now();
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        return await this.#register(procedure, endpoint, { ...asked });
      } catch (error) {
        const left = patience - (performance.now() - begun);
        if (!(error instanceof RequestError) || !CONFLICT.test(error.uri ?? "") || left <= 0) throw error;
      }
      await this.#pause(pause);
    }
  }

  async subscribe(topic: string, handler: EventHandler, options: { match?: Match } = {}): Promise<() => Promise<void>> {
    const session = this.#joined();
    checkUri(topic, options.match);
    const guarded = guardHandler(handler, this.#onProblem);
    const subscription = await this.#ask(topic, () => session.subscribe(topic, guarded, { ...options }));
    return () => this.#ask(topic, async () => void (await subscription.unsubscribe()));
  }

  /** Not acknowledged: gone for good if the link ends. Throws when it can't be queued. */
  publish(topic: string, args: unknown[] = [], kwargs: Dict = {}): void {
    const session = this.#joined();
    session.publish(checkUri(topic), args, kwargs, {});
  }

  /**
   * Resolves when the router has it, which is not when a subscriber has it.
   *
   * @param within ms that it may wait for its lane and for the router.
   */
  async publishAcknowledged(topic: string, args: unknown[] = [], kwargs: Dict = {}, within?: number): Promise<void> {
    const session = this.#joined();
    checkUri(topic);
    const publish = () => Promise.resolve(session.publish(topic, args, kwargs, { acknowledge: true }));
    await this.#ask(topic, publish, within);
  }

  /** Resolves when the lane takes more. Producers of logs wait here, and read no further meanwhile. */
  room(lane: Lane): Promise<void> {
    return this.#transport?.lanes.room(lane) ?? Promise.resolve();
  }

  /** True when a producer need not wait. */
  hasRoom(lane: Lane): boolean {
    return this.isJoined && this.#transport?.lanes.hasRoom(lane) === true;
  }

  /** Control and state go out first, then GOODBYE; the socket is cut when that takes too long. */
  async leave(within = 3_000): Promise<void> {
    if (!this.isJoined) this.close();
    else if (!this.#isLeaving) {
      this.#isLeaving = true;
      this.#leaveTimer = setTimeout(() => this.#transport?.fail(cause("ours", "left", "without an answer")), within);
      await this.#transport?.lanes.drained("control", "state");
      if (this.isJoined) this.#session?.leave();
    }
    return this.closed;
  }

  /** Cuts it now, in whatever state it is. The first cause counts. */
  end(why: Cause): void {
    this.#transport?.fail(why);
  }

  close(): void {
    this.end(cause("ours", "closed_here"));
  }

  readonly #onProblem = (what: string, error: unknown): void => this.#options.onProblem?.(what, error);

  #connect(): Connection {
    const { url, realm, authid, method = DEFAULT_METHOD, authextra } = this.#options;
    const connection = new autobahn.Connection({
      realm,
      authid,
      authmethods: [method],
      ...(authextra && { authextra }),
      max_retries: 0,
      retry_if_unreachable: false,
      use_deferred: deferred,
      transports: [{ type: "lanes", url, create: () => this.#open() }],
      onchallenge: (_, __, extra) => this.#answer(extra),
      on_user_error: () => {},
      on_internal_error: (error) => this.#onProblem("autobahn", error),
    });
    connection.onopen = (session, details) => this.#welcomed(session, details);
    connection.onclose = (_, { reason, message }) => {
      const kind = this.#session === undefined ? "wamp" : "goodbye";
      if (reason !== null) this.#routerReason = cause(kind, reason, String(message ?? "").slice(0, 300));
      return true;
    };
    return connection;
  }

  #open(): LaneTransport {
    this.#transport = new LaneTransport({
      ...this.#options,
      method: this.#options.method ?? DEFAULT_METHOD,
      onEnd: (why) => this.#ended(why),
    });
    return this.#transport;
  }

  async #answer(extra: Dict): Promise<string> {
    this.#options.onFact({ type: "challenged" });
    try {
      const { method = DEFAULT_METHOD, readSecret, url } = this.#options;
      return await answerChallenge(method, await readSecret(), extra, url.startsWith("wss:"));
    } catch (error) {
      this.#transport?.fail(cause("ours", "signer_failed", error instanceof Error ? error.message : ""));
      throw error;
    }
  }

  #welcomed(session: AutobahnSession, details: Dict): void {
    clearTimeout(this.#joinTimer);
    this.#session = session;
    const authrole = typeof details["authrole"] === "string" ? details["authrole"] : undefined;
    this.#options.onFact({ type: "welcomed", session: session.id ?? 0, authrole });
  }

  #ended(why: Cause): void {
    clearTimeout(this.#joinTimer);
    clearTimeout(this.#leaveTimer);
    const said = why.because === "closed" ? (this.#routerReason ?? why) : why;
    const final = this.#isLeaving ? cause("ours", "left", said.because) : said;
    this.#over.abort();
    this.#requests.end(final.because);
    this.#session = undefined;
    this.#options.onFact({
      type: "lost",
      ending: final.kind === "goodbye" ? "lost" : endingOf(final.because),
      cause: final,
    });
    this.#resolveClosed();
  }

  #joined(): AutobahnSession {
    if (this.#session === undefined || this.#isLeaving) throw new RequestError("link_down", "not joined");
    return this.#session;
  }

  async #register(procedure: string, endpoint: Endpoint, options: Dict): Promise<() => Promise<void>> {
    const session = this.#joined();
    const transport = this.#transport;
    const guarded = guardEndpoint(endpoint, () => transport?.invocationSignal ?? AbortSignal.abort(), this.#onProblem);
    const registration = await this.#ask(procedure, () => session.register(procedure, guarded, options));
    registration.on_unregister
      .then((reason) => transport?.fail(cause("wamp", "registration_revoked", `${procedure} ${reason ?? ""}`)))
      .catch(() => {});
    return () => this.#ask(procedure, () => registration.unregister());
  }

  /** A request that has no cancel. */
  async #ask<Answer>(what: string, start: () => Promise<Answer>, within = this.#options.requestWithin ?? 10_000) {
    try {
      return await this.#requests.run(what, start, { within });
    } catch (error) {
      throw requestError(what, error);
    }
  }

  async #pause(longest: number): Promise<void> {
    const length = longest / 2 + ((this.#options.random ?? Math.random)() * longest) / 2;
    try {
      await sleep(length, undefined, { signal: this.#over.signal });
    } catch {
      throw new RequestError("link_lost", "while waiting for a name");
    }
  }
}
