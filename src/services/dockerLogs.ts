/**
 * The engine's log of a container, taken apart into lines. Of a terminal it is raw; otherwise it comes in frames (type, length,
 * bytes).
 * By `logs`, never by `attach`: a stalled reader of `attach` stops the container (measured with Docker 20.10).
 */
import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/duration.ts";
import type { LogLine } from "../model/logLine.ts";
import type { Engine, LogOptions } from "./docker.ts";
import { hasStatus } from "./dockerModem.ts";
import { HEAD, StampedLines } from "./stampedLines.ts";

export interface ReadOptions extends Omit<LogOptions, "stamps"> {
  readonly engine: Engine;
  readonly id: string;
  /** Its output is that of a terminal (`Config.Tty`): nothing in the stream says so. */
  readonly isTerminal: boolean;
  /** Nothing is written any more: what has no end is a line too. */
  readonly isOver: boolean;
  /** What its socket holds is read once in so long, for what is read all day; absent: as fast as it comes. */
  readonly beat?: Ms | undefined;
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
  beat: ___,
  onUnfinished: ____,
  ...options
}: ReadOptions): Promise<IncomingMessage> {
  return engine.logs(id, { ...options, stamps: true });
}

/** The lines of a log that is open. */
export async function* linesOf(
  stream: IncomingMessage,
  { isTerminal, isOver, beat, signal, onUnfinished }: Omit<ReadOptions, "engine" | "id">,
): AsyncGenerator<LogLine[]> {
  const frames = isTerminal ? undefined : new Frames();
  const byStream = [new StampedLines(0), new StampedLines(1), new StampedLines(2)];
  for await (const chunk of chunksOf(stream, beat, signal)) {
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
 * Others get their turn after so long, ms: a socket that is full is read for up to 2 MiB before the loop goes on, which a long
 * log makes 100 ms of.
 */
const TURN = 2;

/** One that is cut off by its reader has ended. */
async function* chunksOf(stream: IncomingMessage, beat: Ms | undefined, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    let turn = performance.now();
    for await (const chunk of stream) {
      yield chunk as Buffer;
      if (beat !== undefined) turn = await rest(stream, turn + beat);
      else if (performance.now() - turn > TURN) turn = await nextTurn(performance.now());
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/**
 * Nothing is read until then. A socket whose answer is complete may be somebody else's already.
 *
 * @returns then, or now where that is past
 */
async function rest({ complete, socket }: IncomingMessage, until: number): Promise<number> {
  if (complete) return until;
  const now = performance.now();
  socket.pause();
  await sleep(Math.max(until - now, 0));
  socket.resume();
  // What the socket holds comes in this turn, and is one piece with what came before.
  await nextTurn();
  return Math.max(until, now);
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

/** What a reading answers. Undefined: the container is gone, or being removed (409, seen with Docker 20.10). */
export async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (!hasStatus(error, 404, 409)) throw error;
    return undefined;
  }
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
