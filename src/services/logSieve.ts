/**
 * Which lines of a container's log are new, however often and from wherever it is read: a place for each stream, moved on by
 * what passed. The engine repeats lines around a rotation (measured with Docker 20.10: 72 of 10,000 at 1 MB a file), and
 * `since` has to begin a little early, so most readings begin with what is known.
 */
import { type LogLine, type Marks, newestOf, type Place, stampOf } from "../model/logLine.ts";

export class LogSieve {
  #marks: Marks;
  /** Where this reading is, by stream. */
  #reading: Marks = {};
  /** The stream whose last line has to be met again in this reading. */
  #expected: LogLine["stream"] | undefined;
  #seeks = false;
  readonly #now: () => number;

  constructor(marks: Marks, now: () => number) {
    this.#marks = marks;
    this.#now = now;
  }

  get marks(): Marks {
    return this.#marks;
  }

  /** The last line lies in the future: since it was stamped, somebody has set the clock back. */
  get isAhead(): boolean {
    const newest = newestOf(this.#marks);
    return newest !== undefined && this.#isFuture(newest);
  }

  /** Whether this is the newest of the lines that were handed on. */
  isLast({ stream, stamp }: LogLine): boolean {
    return stamp === newestOf(this.#marks) && this.#marks[stream]?.stamp === stamp;
  }

  /**
   * A reading begins. Answers the stamp from which on there may be something new; undefined: from the beginning.
   *
   * @param seeks all up to the newest line is old, whatever its stamp; for a clock that was set back.
   */
  begin(seeks = false): string | undefined {
    this.#reading = {};
    this.#seeks = seeks;
    const newest = newestOf(this.#marks);
    this.#expected = ([0, 1, 2] as const).find(
      (stream) => this.#marks[stream]?.stamp === newest && (this.#marks[stream]?.nth ?? 0) > 0,
    );
    return this.isAhead ? undefined : newest;
  }

  /** The place of a line, if it is new. `isGap`: what was handed on last is not in the engine's log any more. */
  admit(line: LogLine): { readonly place: Place; readonly isGap: boolean } | undefined {
    const { stream, stamp } = line;
    const read = this.#reading[stream];
    const place = { stamp, nth: read?.stamp === stamp ? read.nth + 1 : 1 };
    this.#reading[stream] = place;
    const last = this.#marks[stream];
    if (stream === this.#expected && stamp === last?.stamp) this.#expected = undefined;
    if (this.#seeks) {
      this.#seeks = !this.isLast(line) || place.nth < (last?.nth ?? 0);
      return undefined;
    }
    if (last && isBefore(place, last) && !this.#isFuture(last.stamp)) return undefined;
    const isGap = this.#expected !== undefined && stream === this.#expected;
    if (isGap) this.#expected = undefined;
    this.#marks = { ...this.#marks, [stream]: place };
    return { place, isGap };
  }

  /** By more than the grain of a clock. */
  #isFuture(stamp: string): boolean {
    return stamp > stampOf(this.#now() + 1_000);
  }
}

const isBefore = (place: Place, last: Place): boolean =>
  place.stamp < last.stamp || (place.stamp === last.stamp && place.nth <= last.nth);
