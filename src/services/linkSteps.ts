/**
 * What is done on a fresh session until the device is online, in the original's order. Claim, testament and registrations
 * end the link when they fail. What asks the back end never does: it goes on, keeps what was known, shows a problem, and
 * asks again with backoff for as long as the session lives.
 */
import pRetry from "p-retry";
import { type Ms, ms, seconds } from "../model/duration.ts";
import { procedureName } from "../model/names.ts";
import type { Problems } from "../model/problem.ts";
import type { DeviceMetadata } from "../model/wireReport.ts";
import type { DesiredStates } from "../model/wireRequest.ts";
import type { BackEnd } from "./backEnd.ts";
import { PRESENCE, presence } from "./procedures.ts";
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
  readonly onDesiredStates: (states: DesiredStates) => void;
  /** Resolves when every app's state was told, or when it has waited long enough. */
  readonly reported: () => Promise<void>;
  /** The session that calls may go out on from now; `undefined` when it is over. */
  readonly onBackEnd: (backEnd: BackEnd | undefined) => void;
  /** Default is 30 s. */
  readonly heartbeatEvery?: Ms;
  /** First wait before a failed call of the back end is repeated. Default is 1 s; at most one minute. */
  readonly firstRetry?: Ms;
}

export function createLinkSteps(options: LinkStepsOptions): LinkSteps {
  const { serial, problems, heartbeatEvery = seconds(30), firstRetry = seconds(1) } = options;
  const ends = new WeakMap<Session, BackEnd>();

  function of(session: Session): BackEnd {
    const known = ends.get(session) ?? options.backEnd(session);
    ends.set(session, known);
    return known;
  }

  /** A back end that let one call time out is not waited for again on this session: its calls go on beside. */
  const silent = new WeakSet<Session>();

  /** Asks; after a failure again and again beside everything else. Resolves after the first answer, or failure. */
  async function ask<T>(session: Session, name: string, call: () => Promise<T>, then: (answer: T) => void) {
    const about = `back_end.${name}`;
    const attempt = async () => {
      const answer = await call();
      problems.clear(about);
      then(answer);
    };
    const again = () => {
      pRetry(attempt, {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: firstRetry,
        maxTimeout: seconds(60),
        randomize: true,
        signal: session.over,
        onFailedAttempt: ({ error }) => problems.note(about, error),
      }).catch(() => problems.clear(about));
    };
    if (silent.has(session)) return again();
    const begun = performance.now();
    await attempt().catch((error: unknown) => {
      if (session.over.aborted) return;
      if (performance.now() - begun > seconds(2)) silent.add(session);
      problems.note(about, error);
      setTimeout(again, firstRetry).unref();
    });
  }

  function beat(session: Session): void {
    const timer = setInterval(() => {
      of(session)
        .status("CONNECTED")
        .then(
          () => problems.clear("back_end.heartbeat"),
          (error: unknown) => session.over.aborted || problems.note("back_end.heartbeat", error),
        );
    }, heartbeatEvery);
    session.over.addEventListener("abort", () => {
      clearInterval(timer);
      problems.clear("back_end.heartbeat");
    });
  }

  return {
    claim: async (session) => {
      await session.register(procedureName(serial, PRESENCE), presence, { force: false, patience: ms(0) });
    },
    testify: (session) => of(session).addTestament(),
    identify: async (session) => {
      const backEnd = of(session);
      options.onBackEnd(backEnd);
      session.over.addEventListener("abort", () => options.onBackEnd(undefined));
      let isOther = false;
      await ask(
        session,
        "metadata",
        async () => {
          isOther = await options.onMetadata(await backEnd.metadata());
        },
        () => {},
      );
      if (isOther) return true;
      await ask(
        session,
        "credential_key",
        () => backEnd.credentialKey(),
        () => {},
      );
      await ask(
        session,
        "status",
        () => backEnd.status("CONFIGURING"),
        () => {},
      );
      return false;
    },
    register: async (session) => {
      const all = [...options.procedures(of(session))];
      await Promise.all(all.map(([name, endpoint]) => session.register(name, endpoint)));
    },
    synchronise: async (session) => {
      const backEnd = of(session);
      await ask(
        session,
        "architecture",
        () => backEnd.architecture(),
        () => {},
      );
      await ask(session, "desired_states", () => backEnd.desiredStates(), options.onDesiredStates);
      await options.reported();
      await ask(
        session,
        "status",
        () => backEnd.status("CONNECTED"),
        () => {},
      );
      beat(session);
    },
  };
}
