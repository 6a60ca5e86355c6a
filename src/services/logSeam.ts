/**
 * Where following goes on from reading. What is followed begins with the line that was the last one then, what was read
 * meanwhile ends with this one or a later one: so the line that was read last comes before any that is new, or lines are
 * missing between the two.
 */
import type { LogLine } from "../model/logLine.ts";
import type { LogSieve } from "./logSieve.ts";

export class LogSeam {
  #last: LogLine | undefined;
  readonly #sieve: Pick<LogSieve, "isAfter">;

  /** @param last that was read; undefined: none was there. */
  constructor(last: LogLine | undefined, sieve: Pick<LogSieve, "isAfter">) {
    this.#last = last;
    this.#sieve = sieve;
  }

  /** Those of these lines that come after it; undefined: lines are missing before them. */
  after(lines: readonly LogLine[]): readonly LogLine[] | undefined {
    const last = this.#last;
    if (!last) return lines;
    const at = lines.findIndex((line) => isSame(line, last));
    if (at < 0) return lines.some((line) => this.#sieve.isAfter(line)) ? undefined : [];
    this.#last = undefined;
    return lines.slice(at + 1);
  }
}

const isSame = (line: LogLine, other: LogLine): boolean =>
  line.stamp === other.stamp && line.stream === other.stream && line.text === other.text;
