/**
 * What is done on a fresh session until the device is online, in the original's order. Claim, testament and registrations
 * end the link when they fail. What asks the back end never does: it goes on, keeps what was known, shows a problem, and
 * asks again with backoff for as long as the session lives.
 */
import pRetry from "p-retry";
import type { DesiredStates } from "../model/desiredList.ts";
import { type Ms, minutes, ms, seconds } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import { procedureName } from "../model/names.ts";
import type { Problems } from "../model/problem.ts";
import { Secret } from "../model/secret.ts";
import type { DeviceMetadata } from "../model/wireReport.ts";
import type { BackEnd } from "./backEnd.ts";
import { PRESENCE, presence } from "./procedures.ts";
import { cause, RequestError } from "./wampCauses.ts";
import type { Endpoint } from "./wampEndpoint.ts";
import type { LinkSteps } from "./wampLink.ts";
import type { Session } from "./wampSession.ts";

export interface LinkStepsOptions {
  readonly serial: string;
  readonly backEnd: (session: Session) => BackEnd;
  readonly procedures: (backEnd: BackEnd) => ReadonlyMap<string, Endpoint>;
  readonly problems: Problems;
  /** The back end says who we are; written to the .flock file. True: another swarm, so the session has the wrong authid. */
  readonly onMetadata: (metadata: DeviceMetadata) => Promise<boolean>;
  /** What apps' credentials are derived from. */
  readonly onCredentialKey: (key: Secret) => void;
  /** Answers when the list has to be asked for again, if it was not believed. */
  readonly onDesiredStates: (states: DesiredStates) => Ms | undefined;
  /** Resolves when every app's state was told, or when it has waited long enough. */
  readonly reported: () => Promise<void>;
  /** The session that calls may go out on from now; `undefined` when it is over. */
  readonly onBackEnd: (backEnd: BackEnd | undefined) => void;
  /** Its procedures are registered. */
  readonly onRegistered?: (session: Session) => void;
  /** Default is 30 s. */
  readonly heartbeatEvery?: Ms;
  /** Least time between two sessions that are given up because heartbeats were not answered. Default is 5 min. */
  readonly renewEvery?: Ms;
  /** Time that no clock step moves, ms. */
  readonly monotonic?: () => number;
  /** First wait before a failed call of the back end is repeated. Default is 1 s; at most one minute. */
  readonly firstRetry?: Ms;
}

export function createLinkSteps(options: LinkStepsOptions): LinkSteps {
  const { serial, procedures, onBackEnd, renewEvery = minutes(5), monotonic = () => performance.now() } = options;
  const visits = new WeakMap<Session, Visit>();
  let attached: Session | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;

  /** It may be the back end that is away: a new session does not help then, so there is one now and then. */
  function mayRenew(): boolean {
    if (monotonic() - renewedAt < renewEvery) return false;
    renewedAt = monotonic();
    return true;
  }

  function of(session: Session): Visit {
    const visit = visits.get(session) ?? new Visit(session, options, mayRenew);
    visits.set(session, visit);
    return visit;
  }

  /** A session that ends late takes nothing away from the next one. */
  function attach(session: Session): void {
    if (session.over.aborted) return;
    attached = session;
    onBackEnd(of(session).backEnd);
    session.over.addEventListener("abort", () => attached === session && onBackEnd(undefined));
  }

  return {
    claim: async (session) => {
      await session.register(procedureName(serial, PRESENCE), presence, { force: false, patience: ms(0) });
    },
    testify: (session) => of(session).backEnd.addTestament(),
    identify: (session) => {
      attach(session);
      return of(session).identify();
    },
    register: async (session) => {
      const all = [...procedures(of(session).backEnd)];
      await Promise.all(all.map(([name, endpoint]) => session.register(name, endpoint)));
      options.onRegistered?.(session);
    },
    synchronise: (session) => of(session).synchronise(),
  };
}

/** What the back end is told and asked on one session. */
class Visit {
  readonly backEnd: BackEnd;
  readonly #session: Session;
  readonly #options: LinkStepsOptions;
  readonly #mayRenew: () => boolean;
  readonly #asked = new Set<string>();
  /** What a repeated status says: never an older one. */
  #status: "CONFIGURING" | "CONNECTED" = "CONFIGURING";
  /** It let one call time out: it is not waited for again on this session; its calls go on beside. */
  #isSilent = false;
  #isBeating = false;

  constructor(session: Session, options: LinkStepsOptions, mayRenew: () => boolean) {
    this.#session = session;
    this.#options = options;
    this.#mayRenew = mayRenew;
    this.backEnd = options.backEnd(session);
    session.over.addEventListener("abort", () => {
      for (const about of this.#asked) options.problems.clear(about);
    });
  }

  /** True: the session has the authid of another swarm. If that is heard late, the link ends. */
  async identify(): Promise<boolean> {
    let isOther = false;
    let isLate = false;
    await this.#ask("metadata", async () => {
      isOther = await this.#options.onMetadata(await this.backEnd.metadata());
      if (isOther && isLate) this.#session.end(cause("ours", "identity_changed"));
    });
    isLate = true;
    if (isOther) return true;
    await this.#ask("credential_key", async () =>
      this.#options.onCredentialKey(new Secret(await this.backEnd.credentialKey())),
    );
    await this.#ask("status", () => this.backEnd.status(this.#status));
    return false;
  }

  async synchronise(): Promise<void> {
    await this.#ask("architecture", () => this.backEnd.architecture());
    await this.#ask("desired_states", () => this.#takeList());
    await this.#options.reported();
    this.#status = "CONNECTED";
    await this.#ask("status", () => this.backEnd.status(this.#status));
    this.#beat();
  }

  async #takeList(): Promise<void> {
    const { over } = this.#session;
    const again = this.#options.onDesiredStates(await this.backEnd.desiredStates());
    if (again === undefined || over.aborted) return;
    const timer = setTimeout(() => void this.#ask("desired_states", () => this.#takeList()), again);
    over.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  /** Asks until it is answered well or the session ends. Resolves after the first answer, or failure. */
  async #ask(name: string, call: () => Promise<unknown>): Promise<void> {
    const about = this.#about(name);
    const first = Promise.withResolvers<void>();
    const attempt = async () => {
      await call().catch((error: unknown) => {
        throw AgentError.from(error);
      });
      this.#options.problems.clear(about);
      first.resolve();
    };
    pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: this.#options.firstRetry ?? seconds(1),
      maxTimeout: seconds(60),
      randomize: true,
      signal: this.#session.over,
      onFailedAttempt: ({ error }) => {
        this.#isSilent ||= isTimeout(error);
        this.#note(about, error);
        first.resolve();
      },
    }).catch(() => first.resolve());
    if (!this.#isSilent) await first.promise;
  }

  #beat(): void {
    const { over } = this.#session;
    if (over.aborted) return;
    const timer = setInterval(() => {
      if (this.#isBeating) return;
      this.#isBeating = true;
      void this.#heartbeat("first").finally(() => {
        this.#isBeating = false;
      });
    }, this.#options.heartbeatEvery ?? seconds(30));
    over.addEventListener("abort", () => clearInterval(timer));
  }

  /** One that is not answered is followed by a second at once; after that the session may be what is broken. Never rejects. */
  async #heartbeat(which: "first" | "second"): Promise<void> {
    const about = this.#about("heartbeat");
    try {
      await this.backEnd.status("CONNECTED");
      this.#options.problems.clear(about);
    } catch (error) {
      this.#note(about, error);
      if (this.#session.over.aborted || !isTimeout(error as Error)) return;
      if (which === "first") return this.#heartbeat("second");
      if (this.#mayRenew()) this.#session.end(cause("ours", "back_end_silent", "two heartbeats were not answered"));
    }
  }

  #about(name: string): string {
    const about = `back_end.${name}`;
    this.#asked.add(about);
    return about;
  }

  /** A call that the end of the link cut off is no problem of the back end. */
  #note(about: string, error: unknown): void {
    if (!this.#session.over.aborted) this.#options.problems.note(about, error);
  }
}

const isTimeout = ({ cause: why }: Error): boolean => why instanceof RequestError && why.code === "deadline";
