/**
 * Brings an app's output to its log topic: collected for 200 ms, at most 256 KiB a message, at most 1 MiB waiting. Whoever
 * writes is never held up: what is too much is left out, and the next message says how many lines that were.
 */
import { type Ms, ms } from "../model/duration.ts";
import type { Sent } from "./uplink.ts";

export interface LogPublisherOptions {
  /** Sends one message. What cannot be sent because the line is busy waits; what has nowhere to go is counted as dropped. */
  readonly publish: (text: string) => Sent;
  /** Default is 200 ms. */
  readonly every?: Ms;
}

const LARGEST_MESSAGE = 256 * 1024;
const LONGEST_BACKLOG = 1 << 20;
const LONGEST_LINE = 1 << 20;
/** The marker has to fit too. */
const ROOM = LARGEST_MESSAGE - 128;

export class LogPublisher {
  readonly #publish: (text: string) => Sent;
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
    if (this.#isWaiting) this.#timer ??= setTimeout(() => this.#beat(), this.#every);
  }

  /** The output is over: the beginning of a line is a line too. Sends what the line takes now, the rest as always. */
  end(): void {
    if (this.#rest) this.#keep(this.#rest);
    this.#rest = "";
    this.flush();
  }

  /** Sends now what waits, so that what is said next comes after it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let sent: Sent = "sent";
    while (sent === "sent" && this.#isWaiting) sent = this.#sendBatch();
    this.#beatLater(sent);
  }

  /** Forgets what waits; for an app that is gone. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lines = [];
    this.#waiting = 0;
    this.#dropped = 0;
    this.#rest = "";
  }

  get #isWaiting(): boolean {
    return this.#lines.length > 0 || this.#dropped > 0;
  }

  /** Without a link nothing is tried until there is more to say. */
  #beatLater(sent: Sent): void {
    if (sent !== "gone" && this.#isWaiting) this.#timer = setTimeout(() => this.#beat(), this.#every);
  }

  #beat(): void {
    this.#timer = undefined;
    this.#beatLater(this.#sendBatch());
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

  /** One message at the most. Where there is nobody to send to, all that waits is dropped. */
  #sendBatch(): Sent {
    const { batch, size } = this.#nextBatch();
    const isAll = batch.length === this.#lines.length;
    const marker = isAll && this.#dropped > 0 ? [`… ${this.#dropped} log line(s) dropped (rate limit)`] : [];
    const sent = this.#publish([...batch, ...marker].join("\n"));
    if (sent === "busy") return sent;
    if (sent === "gone") this.#dropped += this.#lines.length;
    else if (isAll) this.#dropped = 0;
    this.#lines = sent === "gone" ? [] : this.#lines.slice(batch.length);
    this.#waiting = this.#lines.length === 0 ? 0 : this.#waiting - size;
    return sent;
  }

  #nextBatch(): { batch: string[]; size: number } {
    const batch: string[] = [];
    let size = 0;
    for (const line of this.#lines) {
      const more = Buffer.byteLength(line) + 1;
      if (batch.length > 0 && size + more > ROOM) break;
      batch.push(more > ROOM ? Buffer.from(line).subarray(0, ROOM).toString() : line);
      size += more;
    }
    return { batch, size };
  }
}
