/**
 * How much one client may take of the router: it keeps everything in memory, and a client may be hostile. Generous for an
 * agent (some 40 procedures, a handful of topics, one testament), small for the process.
 */
import { WampFailure } from "./wamp.ts";

const MIB = 1 << 20;

export const LIMITS = {
  /** At once, proven or not. */
  clients: 1_000,
  /** Bytes of a message of somebody who has not proven who he is. */
  stranger: 64 * 1024,
  /** Levels of lists and dicts in a message: JSON.stringify fails on very deep ones, where nobody expects it. */
  depth: 64,
  subscriptions: 1_000,
  registrations: 1_000,
  /** Of one caller, without an answer yet. */
  calls: 10_000,
  testaments: 16,
  /** Characters of one testament as JSON. */
  testament: 64 * 1024,
  /** Bytes that wait for a client that does not read. */
  backlog: 64 * MIB,
} as const;

/** Throws the ERROR for whoever has had enough. */
export function checkRoom(what: "subscriptions" | "registrations" | "calls" | "testaments", count: number): void {
  if (count >= LIMITS[what]) throw new WampFailure("router.error.too_many", [`at most ${LIMITS[what]} ${what}`]);
}

export function isShallow(value: unknown, levels: number = LIMITS.depth): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
