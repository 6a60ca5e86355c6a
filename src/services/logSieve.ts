/**
 * Which lines of a container's log are new, however often and from wherever it is read: a place for each stream, moved on by
 * what passed. The engine repeats lines around a rotation (measured with Docker 20.10: 72 of 10,000 at 1 MB a file), and
 * `since` has to begin a little early, so most readings begin with what is known.
 */
import { type LogLine, type Marks, newestOf, type Place, stampOf } from "../model/logLine.ts";

export class LogSieve {
  /** The last line of each stream that was handed on, and of each that was read in this reading. Changed in place: a line is no time to make objects. */
  readonly #marks: (Mutable | undefined)[];
  readonly #reading: (Mutable | undefined)[] = [];
  /** The stream whose last line has to be met again in this reading. */
  #expected: LogLine["stream"] | undefined;
  #seeks = false;
  readonly #now: () => number;
  /** The line that was admitted last comes after others that are not in the engine's log any more. */
  isAfterGap = false;

  constructor(marks: Marks, now: () => number) {
    this.#marks = STREAMS.map((stream) => marks[stream] && { ...marks[stream] });
    this.#now = now;
  }

  get marks(): Marks {
    return Object.fromEntries(this.#marks.flatMap((place, stream) => (place ? [[stream, { ...place }]] : [])));
  }

  /** The last line lies in the future: since it was stamped, somebody has set the clock back. */
  get isAhead(): boolean {
    const newest = newestOf(this.marks);
    return newest !== undefined && this.#isFuture(newest);
  }

  /** Whether this is the newest of the lines that were handed on. */
  isLast({ stream, stamp }: LogLine): boolean {
    return this.#marks[stream]?.stamp === stamp && stamp === newestOf(this.marks);
  }

  /**
   * A reading begins. Answers the stamp from which on there may be something new; undefined: from the beginning.
   *
   * @param seeks all up to the newest line is old, whatever its stamp; for a clock that was set back.
   */
  begin(seeks = false): string | undefined {
    this.#reading.length = 0;
    this.#seeks = seeks;
    const newest = newestOf(this.marks);
    this.#expected = STREAMS.find((stream) => {
      const place = this.#marks[stream];
      return place !== undefined && place.stamp === newest && place.nth > 0;
    });
    return this.isAhead ? undefined : newest;
  }

  /** The how-many-eth with its stamp a line is, if it is new; else 0. */
  admit(line: LogLine): number {
    const { stream, stamp } = line;
    const read = this.#reading[stream] ?? { stamp: "", nth: 0 };
    this.#reading[stream] = read;
    read.nth = read.stamp === stamp ? read.nth + 1 : 1;
    read.stamp = stamp;
    const last = this.#marks[stream];
    if (stream === this.#expected && stamp === last?.stamp) this.#expected = undefined;
    if (this.#isKnown(line, read, last)) return 0;
    this.isAfterGap = stream === this.#expected;
    if (this.isAfterGap) this.#expected = undefined;
    const mark = last ?? { stamp, nth: 0 };
    this.#marks[stream] = mark;
    mark.stamp = stamp;
    mark.nth = read.nth;
    return read.nth;
  }

  #isKnown(line: LogLine, read: Place, last: Place | undefined): boolean {
    if (!this.#seeks) return last !== undefined && isBefore(read, last) && !this.#isFuture(last.stamp);
    this.#seeks = !this.isLast(line) || read.nth < (last?.nth ?? 0);
    return true;
  }

  /** By more than the grain of a clock. */
  #isFuture(stamp: string): boolean {
    return stamp > stampOf(this.#now() + 1_000);
  }
}

const STREAMS = [0, 1, 2] as const;
type Mutable = { -readonly [Key in keyof Place]: Place[Key] };

const isBefore = (place: Place, last: Place): boolean =>
  place.stamp < last.stamp || (place.stamp === last.stamp && place.nth <= last.nth);
