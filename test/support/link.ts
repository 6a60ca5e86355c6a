/** A router with the users of these tests, and sessions on it that remember their facts. */
import { pbkdf2Sync } from "node:crypto";
import type { Cause } from "../../src/services/wampCauses.ts";
import { Session } from "../../src/services/wampSession.ts";
import type { SessionFact, SessionOptions } from "../../src/services/wampSessionOptions.ts";
import { MiniRouter, type RouterOptions, type User } from "../../src/studio/router/minirouter.ts";

export const USERS: Record<string, User> = {
  dev1: { method: "wampcra", secret: "s3cret", role: "device" },
  dev2: { method: "wampcra", secret: "s3cret2", role: "device" },
  salted: {
    method: "wampcra",
    secret: pbkdf2Sync("pw", "salty", 1_000, 32, "sha256").toString("base64"),
    role: "device",
    salt: "salty",
    iterations: 1_000,
    keylen: 32,
  },
};

export const startRouter = (options: Partial<RouterOptions> = {}) =>
  new MiniRouter({ users: USERS, ...options }).listen();

export interface Line {
  readonly session: Session;
  readonly facts: SessionFact[];
  readonly problems: [string, unknown][];
  readonly dropped: number[];
  /** What it ended with; waits for it. */
  readonly end: Promise<Cause>;
  /** Resolves when it is joined, rejects with the cause when it ends before. */
  readonly joined: Promise<Session>;
}

export function dial(url: string, options: Partial<SessionOptions> = {}): Line {
  const facts: SessionFact[] = [];
  const problems: [string, unknown][] = [];
  const dropped: number[] = [];
  const end = Promise.withResolvers<Cause>();
  const joined = Promise.withResolvers<void>();
  joined.promise.catch(() => {});
  const session = new Session({
    url,
    realm: "realm1",
    authid: "dev1",
    readSecret: () => "s3cret",
    agent: "reagent-test",
    laneOf: (uri) => (uri.startsWith("logs.") ? "logs" : uri.startsWith("state.") ? "state" : "control"),
    onProblem: (what, error) => problems.push([what, error]),
    onDropped: (type) => dropped.push(type),
    ...options,
    onFact: (fact) => {
      facts.push(fact);
      options.onFact?.(fact);
      if (fact.type === "welcomed") joined.resolve();
      if (fact.type !== "lost") return;
      end.resolve(fact.cause);
      joined.reject(new Error(fact.cause.because));
    },
  });
  const ready = joined.promise.then(() => session);
  ready.catch(() => {});
  return { session, facts, problems, dropped, end: end.promise, joined: ready };
}

export const typesOf = ({ facts }: Line) => facts.map(({ type }) => type);
