/** Something that is wrong now and that a person should see in `reagent status`, though everything goes on. */
import type { ErrorCode } from "./errors.ts";

export interface Problem {
  /** What it is about: `back_end.read_device_metadata`, `app.PROD.42.report`. One problem a subject. */
  readonly about: string;
  readonly code: ErrorCode;
  readonly says: string;
  /** Wall time in ms since 1970. */
  readonly since: number;
}

export interface Problems {
  /** Notes it, or replaces what was noted about the same subject; `since` stays. */
  note(about: string, error: unknown): void;
  clear(about: string): void;
  list(): readonly Problem[];
}
