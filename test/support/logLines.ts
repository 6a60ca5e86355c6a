/** Lines as a follower hands them on. */
import { stampOf } from "../../src/model/logLine.ts";
import type { FreshLine } from "../../src/services/logFollower.ts";

let at = Date.UTC(2026, 0, 2);

/** Each with a stamp of its own, a millisecond later than the one before. */
export const freshLines = (...texts: readonly string[]): FreshLine[] =>
  texts.map((text) => {
    const stamp = stampOf(at++);
    return { stream: 0, stamp, text, nth: 1, gap: 0 };
  });
