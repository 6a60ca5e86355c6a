/**
 * Brings an app's output to its log topic: collected for 200 ms, at most 256 KiB a message, at most 1 MiB waiting. Whoever
 * writes is never held up: what is too much is left out, and the next message says how many lines that were.
 */
import { type Ms, ms } from "../model/duration.ts";

export interface LogPublisherOptions {
  /** Sends one message. False: it cannot be sent now, and is lost. */
  readonly publish: (text: string) => boolean;
  readonly every?: Ms;
}

const LARGEST_MESSAGE = 256 * 1024;
const LONGEST_BACKLOG = 1 << 20;
const LONGEST_LINE = 1 << 20;
/** The marker has to fit too. */
const ROOM = LARGEST_MESSAGE - 128;

export class LogPublisher {
  readonly #publish: (text: string) => boolean;
  readonly #every: Ms;
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  /** The beginning of a line whose end is not here yet. */
  #rest = "";
  #timer: NodeJS.Timeout | undefined;

  constructor({ publish, every = ms(200) }: LogPublisherOptions) {
    this.#publish = publish;
    this.#every = every;
  }

  /** Text as it comes, in pieces that need not end with a line. */
  write(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LONGEST_LINE) {
      lines.push(this.#rest);
      this.#rest = "";
    }
    for (const line of lines) this.#keep(line.slice(0, LONGEST_LINE));
    if (this.#waiting > 0 || this.#dropped > 0) this.#timer ??= setTimeout(() => this.#flush(), this.#every);
  }

  /** Sends what waits, the beginning of a line too. */
  end(): void {
    if (this.#rest) this.#keep(this.#rest);
    this.#rest = "";
    while (this.#lines.length > 0 || this.#dropped > 0) this.#flush();
    clearTimeout(this.#timer);
  }

  #keep(line: string): void {
    const size = Buffer.byteLength(line) + 1;
    if (this.#waiting + size > LONGEST_BACKLOG) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += size;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch: string[] = [];
    let size = 0;
    for (const line of this.#lines) {
      const more = Buffer.byteLength(line) + 1;
      if (batch.length > 0 && size + more > ROOM) break;
      batch.push(more > ROOM ? Buffer.from(line).subarray(0, ROOM).toString() : line);
      size += more;
    }
    const count = batch.length;
    this.#lines = this.#lines.slice(count);
    this.#waiting = Math.max(this.#waiting - size, 0);
    if (this.#lines.length === 0 && this.#dropped > 0) {
      batch.push(`… ${this.#dropped} log line(s) dropped (rate limit)`);
      this.#dropped = 0;
    }
    if (batch.length > 0 && !this.#publish(batch.join("\n"))) this.#dropped += count;
    if (this.#lines.length > 0) this.#timer = setTimeout(() => this.#flush(), this.#every);
  }
}
