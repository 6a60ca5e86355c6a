/** A line of a container's output, where in the engine's log it stands, and how far a log was handed on. */
import * as z from "zod";

/** 0: of a terminal, which mixes both. 1: standard output. 2: standard error. */
export type Stream = 0 | 1 | 2;

export const STREAMS = [0, 1, 2] as const satisfies readonly Stream[];

export interface LogLine {
  readonly stream: Stream;
  /** When the engine took it, in its own fixed form of 30 characters (`2026-01-02T03:04:05.000000000Z`), so that stamps compare as texts. */
  readonly stamp: string;
  /** Without what ends it. */
  readonly text: string;
}

/** As somebody on the device is shown it: of a container, or a word of the agent about its app. */
export interface ShownLine extends Omit<LogLine, "stream"> {
  readonly stream: Stream | "agent";
}

export const ShownLines = z.array(
  z.object({ stream: z.literal([0, 1, 2, "agent"]), stamp: z.string(), text: z.string() }),
) satisfies z.ZodType<ShownLine[]>;

/** A word of the agent about an app. */
export interface AgentWord extends Omit<LogLine, "stream"> {
  /** About an end: it comes after all that was printed before it. */
  readonly isLast: boolean;
}

const Stamp = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);

/** One line of a stream: its stamp, and the how-many-eth with this stamp it is. 0: no line, all with this stamp are after it. */
export const Place = z.object({ stamp: Stamp, nth: z.int().min(0) });
export type Place = z.output<typeof Place>;

/** The last line of each stream. */
export const Marks = z.object({ 0: Place.optional(), 1: Place.optional(), 2: Place.optional() });
export type Marks = z.output<typeof Marks>;

/** How far the output of an app was handed on, as it is kept for the next process. */
export const Cursor = z.object({
  /** "": none yet. */
  container: z.string().regex(/^([0-9a-f]{64})?$/),
  marks: Marks,
  /** Lines before the marks that were sent and not confirmed yet. */
  unconfirmed: z.int().min(0),
});
export type Cursor = z.output<typeof Cursor>;

export const stampOf = (at: number): string => `${new Date(at).toISOString().slice(0, -1)}000000Z`;

/** In the form that the engine takes for `since`: seconds and nanoseconds. */
export const secondsOf = (stamp: string): string =>
  `${Date.parse(`${stamp.slice(0, 19)}Z`) / 1_000}.${stamp.slice(20, 29)}`;

/** The newest stamp among the marks. */
export const newestOf = (marks: Marks): string | undefined =>
  STREAMS.flatMap((stream) => marks[stream]?.stamp ?? [])
    .toSorted()
    .at(-1);

/** ms since 1970. */
export const msOf = (stamp: string): number => Date.parse(`${stamp.slice(0, 23)}Z`);

/** At an instant, and at no line: all from then on is after it. */
export const marksAt = (stamp: string): Marks => ({ 0: { stamp, nth: 0 }, 1: { stamp, nth: 0 }, 2: { stamp, nth: 0 } });

/** What stands in a log where lines are missing; the original's form. */
export const droppedLine = (lines: number, reason: string): string => `… ${lines} log line(s) dropped (${reason})`;

/** A reason of it. The engine does not say how many, so their number is an estimate. */
export const ROTATED = "about, rotated away by the engine";
