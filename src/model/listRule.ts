/**
 * Which apps go because the back end's list does not name them any more. A list that would take away much at once may be
 * a back end in trouble rather than somebody's wish, so it counts only when a later answer says the same.
 */
import { type Ms, seconds } from "./duration.ts";

/** How long after the first such list a second one has to come. */
export const SECOND_LOOK: Ms = seconds(60);

/** A list that would take away much, and when it came. */
export interface Doubt {
  readonly since: number;
  readonly missing: readonly string[];
}

export interface Verdict {
  /** Apps that go now, as names: `PROD:42`. */
  readonly gone: readonly string[];
  /** Set: nothing goes yet; ask again when it is old enough. */
  readonly doubt?: Doubt;
}

/** @param known apps of this device; @param named those of the list, in whatever state its rows are. */
export function unlisted(
  known: readonly string[],
  named: ReadonlySet<string>,
  before: Doubt | undefined,
  now: number,
): Verdict {
  const missing = known.filter((name) => !named.has(name));
  const isMuch = (named.size === 0 && missing.length > 0) || (missing.length > 1 && missing.length * 2 > known.length);
  if (!isMuch) return { gone: missing };
  if (!before || now < before.since) return { gone: [], doubt: { since: now, missing } };
  if (now - before.since < SECOND_LOOK) return { gone: [], doubt: before };
  return { gone: missing.filter((name) => before.missing.includes(name)) };
}
