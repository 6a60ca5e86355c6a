/**
 * Brings an app's log to its topic: output collected for 200 ms, at most 256 KiB a message, at most 1 MiB waiting, and
 * between it words of the agent, each a message of its own. Whoever writes is never held up: what is too much is left
 * out, and in its place stands how many lines that were.
 */
import { type Ms, ms } from "../model/duration.ts";
import type { Sent } from "./uplink.ts";

/** A message of its own. */
export interface Word {
  readonly type: "build";
  readonly chunk: string;
}

export interface LogPublisherOptions {
  /** Sends one message. What cannot be sent because the line is busy waits; what has nowhere to go is counted as dropped. */
  readonly publish: (message: string | Word) => Sent;
  /** Default is 200 ms. */
  readonly every?: Ms;
}

/** What waits, in order: lines, gaps (numbers of lines that were left out) and words. */
type Item = string | number | Word;

const LARGEST_MESSAGE = 256 * 1024;
const LONGEST_BACKLOG = 1 << 20;
/** The end of a line is not waited for any longer. */
const LONGEST_LINE = 1 << 20;
/** A marker has to fit too. */
const ROOM = LARGEST_MESSAGE - 128;

export class LogPublisher {
  readonly #publish: (message: string | Word) => Sent;
  readonly #every: Ms;
  #items: Item[] = [];
  /** Bytes of what waits. */
  #waiting = 0;
  /** The beginning of a line whose end is not here yet. */
  #rest = "";
  #timer: NodeJS.Timeout | undefined;

  constructor({ publish, every = ms(200) }: LogPublisherOptions) {
    this.#publish = publish;
    this.#every = every;
  }

  /** Text as it comes, in pieces that need not end with a line. */
  write(text: string): void {
    const [first = "", ...others] = text.split("\n");
    const lines = [this.#rest + first, ...others];
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#keepLine(line);
    if (this.#rest.length > LONGEST_LINE) this.#keepRest();
    if (this.#items.length > 0) this.#timer ??= setTimeout(() => this.#beat(), this.#every);
  }

  /** A word of the agent: goes out at once, after all that waits. */
  say(word: Word): void {
    this.#keep(word, word.chunk);
    this.flush();
  }

  /** The output is over: the beginning of a line is a line too. Sends what the line takes now, the rest as always. */
  end(): void {
    if (this.#rest) this.#keepRest();
    this.flush();
  }

  /** Sends now what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let sent: Sent = "sent";
    while (sent === "sent" && this.#items.length > 0) sent = this.#sendNext();
    this.#beatLater(sent);
  }

  /** Forgets what waits; for an app that is gone. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#items = [];
    this.#waiting = 0;
    this.#rest = "";
  }

  /** Without a link nothing is tried until there is more to say. */
  #beatLater(sent: Sent): void {
    if (sent !== "gone" && this.#items.length > 0) this.#timer = setTimeout(() => this.#beat(), this.#every);
  }

  #beat(): void {
    this.#timer = undefined;
    this.#beatLater(this.#sendNext());
  }

  #keepRest(): void {
    this.#keepLine(this.#rest);
    this.#rest = "";
  }

  /** A line that fits no message becomes several. */
  #keepLine(text: string): void {
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    if (sizeOf(line) <= ROOM) return this.#keep(line, line);
    const length = Math.floor(ROOM / 3);
    for (let at = 0; at < line.length; at += length) {
      const piece = line.slice(at, at + length);
      this.#keep(piece, piece);
    }
  }

  #keep(item: string | Word, text: string): void {
    const size = sizeOf(text);
    if (this.#waiting + size > LONGEST_BACKLOG) return this.#drop(1);
    this.#items.push(item);
    this.#waiting += size;
  }

  /** Gaps that follow each other are one. */
  #drop(lines: number): void {
    const last = this.#items.at(-1);
    if (typeof last === "number") this.#items[this.#items.length - 1] = last + lines;
    else this.#items.push(lines);
  }

  /** One message. Where there is nobody to send to, all that waits is left out. */
  #sendNext(): Sent {
    const { message, count, size } = this.#nextMessage();
    const sent = this.#publish(message);
    if (sent === "sent") {
      this.#items.splice(0, count);
      this.#waiting -= size;
    }
    if (sent === "gone") {
      this.#items = [this.#items.reduce<number>((sum, item) => sum + (typeof item === "number" ? item : 1), 0)];
      this.#waiting = 0;
    }
    return sent;
  }

  /** A word alone, or lines and gaps up to the next word. */
  #nextMessage(): { message: string | Word; count: number; size: number } {
    const [first] = this.#items;
    if (typeof first === "object") return { message: first, count: 1, size: sizeOf(first.chunk) };
    const batch: string[] = [];
    let [size, length] = [0, 0];
    for (const item of this.#items) {
      if (typeof item === "object") break;
      const line = typeof item === "number" ? `… ${item} log line(s) dropped (rate limit)` : item;
      const more = sizeOf(line);
      if (batch.length > 0 && length + more > ROOM) break;
      batch.push(line);
      length += more;
      if (typeof item === "string") size += more;
    }
    return { message: batch.join("\n"), count: batch.length, size };
  }
}

/** In bytes, with what ends a line. */
const sizeOf = (line: string): number => Buffer.byteLength(line) + 1;
