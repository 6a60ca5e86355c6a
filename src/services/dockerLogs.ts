/**
 * The engine's log of a container, taken apart into lines. Of a terminal it is raw; otherwise it comes in frames (type, length,
 * bytes). In both each entry begins with its stamp, and a line of more than 16 KiB is several entries with one stamp.
 * By `logs`, never by `attach`: a stalled reader of `attach` stops the container (measured with Docker 20.10).
 */
import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { ms } from "../model/duration.ts";
import type { LogLine, Stream } from "../model/logLine.ts";
import type { Engine, LogOptions } from "./docker.ts";

export interface ReadOptions extends Omit<LogOptions, "stamps"> {
  readonly engine: Engine;
  readonly id: string;
  /** Its output is that of a terminal (`Config.Tty`): nothing in the stream says so. */
  readonly isTerminal: boolean;
  /** Nothing is written any more: what has no end is a line too. */
  readonly isOver: boolean;
  /** A little at a time, for what is read all day. */
  readonly isGentle?: boolean;
  /** The log ends in the middle of a line, one of more than 16 KiB that is being written. */
  readonly onUnfinished?: (() => void) | undefined;
}

/** Lines as they come, in pieces; a reader that is slow holds the engine up, and nothing else. */
export async function* readLines(options: ReadOptions): AsyncGenerator<LogLine[]> {
  yield* linesOf(await openLog(options), options);
}

/** Resolves when the engine has begun to read. */
export function openLog({
  engine,
  id,
  isTerminal: _,
  isOver: __,
  isGentle: ___,
  onUnfinished: ____,
  ...options
}: ReadOptions): Promise<IncomingMessage> {
  return engine.logs(id, { ...options, stamps: true });
}

/** The lines of a log that is open. */
export async function* linesOf(
  stream: IncomingMessage,
  { isTerminal, isOver, isGentle = false, signal, onUnfinished }: Omit<ReadOptions, "engine" | "id">,
): AsyncGenerator<LogLine[]> {
  const frames = isTerminal ? undefined : new Frames();
  const byStream = [new StampedLines(0), new StampedLines(1), new StampedLines(2)];
  for await (const chunk of chunksOf(stream, isGentle, signal)) {
    const lines: LogLine[] = [];
    const pieces = frames ? frames.push(chunk) : [{ type: 0, bytes: chunk }];
    for (const { type, bytes } of pieces) byStream[type]?.push(bytes, lines);
    if (lines.length > 0) yield lines;
  }
  const open = byStream.filter((each) => each.isOpen);
  if (signal.aborted || open.length === 0) return;
  if (!isOver) return onUnfinished?.();
  const last: LogLine[] = [];
  for (const each of open) each.end(last);
  yield last;
}

/**
 * What a running container prints is followed in pieces of so long. A socket holds 278 lines of the engine (of 100 bytes), so at
 * most 24,000 a second are read of it: who floods costs the device 8 % of a core here, and not all that there is; more than
 * anybody reads waits in the engine's files, and is told when those are full.
 */
const REST = ms(10);
/**
 * Others get their turn after so long, ms: a socket that is full is read for up to 2 MiB before the loop goes on, which a long
 * log makes 100 ms of.
 */
const TURN = 2;

/** One that is cut off by its reader has ended. */
async function* chunksOf(stream: IncomingMessage, isGentle: boolean, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    let turn = performance.now();
    for await (const chunk of stream) {
      yield chunk as Buffer;
      if (isGentle) await rest(stream);
      else if (performance.now() - turn > TURN) turn = await nextTurn(performance.now());
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Nothing is read meanwhile. A socket whose answer is complete may be somebody else's already. */
async function rest({ complete, socket }: IncomingMessage): Promise<void> {
  if (complete) return;
  socket.pause();
  await sleep(REST);
  socket.resume();
  // What the socket holds comes in this turn, and is one piece with what came before.
  await nextTurn();
}

const HEADER = 8;
/** Frames of this type are words of the engine about the log itself. */
const ENGINE = 3;

interface Piece {
  readonly type: number;
  readonly bytes: Buffer;
}

/** Takes a framed stream apart, however it is cut: docker-modem's own is quadratic. Keeps at most one header. */
export class Frames {
  #header: Buffer = Buffer.alloc(0);
  #type = 0;
  #left = 0;

  /** The payload in this chunk, in pieces that share its memory. @throws {RangeError} if these are no frames. */
  push(chunk: Buffer): Piece[] {
    const found: Piece[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        at += this.#readHeader(chunk, at);
        continue;
      }
      const bytes = chunk.subarray(at, at + this.#left);
      at += bytes.length;
      this.#left -= bytes.length;
      found.push({ type: this.#type, bytes });
    }
    return found;
  }

  #readHeader(chunk: Buffer, at: number): number {
    const needed = chunk.subarray(at, at + HEADER - this.#header.length);
    this.#header = this.#header.length === 0 ? needed : Buffer.concat([this.#header, needed]);
    if (this.#header.length < HEADER) {
      this.#header = Buffer.from(this.#header);
      return needed.length;
    }
    const [type = 255, ...zeros] = this.#header.subarray(0, 4);
    if (type > ENGINE || zeros.some((byte) => byte !== 0)) throw new RangeError("not a framed stream");
    this.#type = type;
    this.#left = this.#header.readUInt32BE(4);
    this.#header = Buffer.alloc(0);
    return needed.length;
  }
}

/** `2026-01-02T03:04:05.000000000Z `: what each entry begins with. */
const HEAD = 31;
/** Bytes of a line in one entry of the engine, before it begins another. */
const ENTRY = 16 * 1024;
/** Bytes of a line that are kept. */
export const LONGEST_LINE = 1 << 20;
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
      this.#take(bytes.subarray(from, end), into);
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

  #line(entry: Buffer, over: number): LogLine {
    const isStamped = hasStamp(entry);
    if (isStamped) this.#stamp = entry.toString("latin1", 0, HEAD - 1);
    const bytes = isStamped ? withoutSeams(entry) : entry;
    const length = over === 0 ? bytes.length : lengthOf(entry.length + over);
    return { stream: this.#stream, stamp: this.#stamp, text: textOf(bytes, length) };
  }
}

/** A terminal ends its lines with both. */
const withoutReturn = (bytes: Buffer): Buffer => (bytes.at(-1) === CR ? bytes.subarray(0, -1) : bytes);

/** Looked at byte by byte: a million lines a minute come by here. */
const hasStamp = (entry: Buffer): boolean =>
  entry.length >= HEAD && entry[4] === DASH && entry[10] === T && entry[HEAD - 2] === Z && entry[HEAD - 1] === SPACE;

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

/** Bytes of lines of one reading that are held. */
const LARGEST_READ = 8 << 20;

/** The newest lines of a reading, of at most so many bytes. `isCut`: there were older ones. */
export async function lastLines(
  options: ReadOptions,
  most = LARGEST_READ,
): Promise<{ lines: LogLine[]; isCut: boolean }> {
  let lines: LogLine[] = [];
  let [size, isCut] = [0, false];
  for await (const more of readLines(options)) {
    lines.push(...more);
    size += bytesOf(more);
    if (size < 2 * most) continue;
    lines = newest(lines, most);
    size = bytesOf(lines);
    isCut = true;
  }
  const last = newest(lines, most);
  return { lines: last, isCut: isCut || last.length < lines.length };
}

const bytesOf = (lines: readonly LogLine[]): number =>
  lines.reduce((sum, { text }) => sum + Buffer.byteLength(text) + HEAD, 0);

function newest(lines: LogLine[], most: number): LogLine[] {
  let left = most;
  const last = lines.findLastIndex((line) => {
    left -= bytesOf([line]);
    return left < 0;
  });
  return lines.slice(last + 1);
}
