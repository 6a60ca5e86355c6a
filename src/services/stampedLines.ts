/**
 * The lines of one stream of the engine. Each of its entries begins with its stamp, and a line of more than 16 KiB is several
 * entries with one stamp.
 */
import { StringDecoder } from "node:string_decoder";
import type { LogLine, Stream } from "../model/logLine.ts";

/** `2026-01-02T03:04:05.000000000Z `: what each entry begins with. */
export const HEAD = 31;
/** Bytes of a line in one entry of the engine, before it begins another. */
const ENTRY = 16 * 1024;
/** Bytes of a line that are kept. */
const LONGEST_LINE = 1 << 20;
/** With what the engine puts between the entries of so long a line. */
const MOST_BYTES = LONGEST_LINE + (LONGEST_LINE / ENTRY + 1) * HEAD;

const [LF, CR, DASH, T, Z, SPACE] = [10, 13, 45, 84, 90, 32];

/** The lines of one stream, however its bytes are cut. What is no UTF-8 becomes U+FFFD; a character is never taken apart. */
export class StampedLines {
  readonly #stream: Stream;
  /** The beginning of a line whose end is not here yet. */
  #rest: Buffer[] = [];
  #length = 0;
  /** Bytes of it that are not kept. */
  #over = 0;
  /** The last byte of it, kept or not. */
  #last = 0;
  /** Of the last entry that had one. */
  #stamp = "";

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** The end of a line is not here yet. */
  get isOpen(): boolean {
    return this.#length > 0;
  }

  push(bytes: Buffer, into: LogLine[]): void {
    let from = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, from)) {
      if (this.#length === 0 && end - from < ENTRY && hasStamp(bytes, from, end))
        into.push(this.#short(bytes, from, end));
      else this.#take(bytes.subarray(from, end), into);
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
  }

  /** What has no end is a line too. */
  end(into: LogLine[]): void {
    if (this.#length > 0) this.#take(Buffer.alloc(0), into);
  }

  /** Copied: a piece of a chunk would keep all of the chunk. */
  #keep(bytes: Buffer): void {
    this.#last = bytes.at(-1) ?? this.#last;
    const fits = bytes.subarray(0, Math.max(MOST_BYTES - this.#length, 0));
    if (fits.length > 0) this.#rest.push(Buffer.from(fits));
    this.#length += fits.length;
    this.#over += bytes.length - fits.length;
  }

  #take(bytes: Buffer, into: LogLine[]): void {
    if (this.#length === 0) return void into.push(this.#line(withoutReturn(bytes), 0));
    this.#keep(bytes);
    const whole = Buffer.concat(this.#rest);
    const over = this.#over;
    this.#rest = [];
    this.#length = 0;
    this.#over = 0;
    if (over === 0) into.push(this.#line(withoutReturn(whole), 0));
    else into.push(this.#line(whole, this.#last === CR ? over - 1 : over));
  }

  /** Most lines are short and whole: read where they lie, since each piece of a buffer is an object for the collector. */
  #short(bytes: Buffer, from: number, end: number): LogLine {
    this.#stamp = bytes.toString("latin1", from, from + HEAD - 1);
    const text = bytes.toString("utf8", from + HEAD, bytes[end - 1] === CR ? end - 1 : end);
    return { stream: this.#stream, stamp: this.#stamp, text };
  }

  #line(entry: Buffer, over: number): LogLine {
    const isStamped = hasStamp(entry, 0, entry.length);
    if (isStamped) this.#stamp = entry.toString("latin1", 0, HEAD - 1);
    const bytes = isStamped ? withoutSeams(entry) : entry;
    const length = over === 0 ? bytes.length : lengthOf(entry.length + over);
    return { stream: this.#stream, stamp: this.#stamp, text: textOf(bytes, length) };
  }
}

/** A terminal ends its lines with both. */
const withoutReturn = (bytes: Buffer): Buffer => (bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes);

/** Looked at byte by byte: a million lines a minute come by here. */
const hasStamp = (bytes: Buffer, from: number, end: number): boolean =>
  end - from >= HEAD &&
  bytes[from + 4] === DASH &&
  bytes[from + 10] === T &&
  bytes[from + HEAD - 2] === Z &&
  bytes[from + HEAD - 1] === SPACE;

/**
 * A long line without what the engine puts between its entries: its own stamp again. A program that prints its line's stamp of
 * this very nanosecond 16 KiB into the line would lose that print.
 */
function withoutSeams(entry: Buffer): Buffer {
  if (entry.length < HEAD + ENTRY) return entry.subarray(HEAD);
  const head = entry.subarray(0, HEAD);
  const parts: Buffer[] = [];
  let from = HEAD;
  for (let at = entry.indexOf(head, from + ENTRY); at !== -1; at = entry.indexOf(head, from + ENTRY)) {
    parts.push(entry.subarray(from, at));
    from = at + HEAD;
  }
  return Buffer.concat([...parts, entry.subarray(from)]);
}

/** Bytes of a line that came with so many, its seams among them. */
const lengthOf = (raw: number): number => raw - HEAD * Math.ceil(raw / (HEAD + ENTRY));

function textOf(bytes: Buffer, length: number): string {
  if (length <= LONGEST_LINE) return bytes.toString("utf8");
  const kept = new StringDecoder("utf8").write(bytes.subarray(0, LONGEST_LINE));
  return `${kept}… ${length - LONGEST_LINE} byte(s) of this line dropped (longer than 1 MiB)`;
}
