/**
 * What waits to be sent of an app's log. Lines that come together are one text: an object for each line of a flood would
 * outlive its generation while it waits, and give the collector a long pause every two seconds (measured with Node 24).
 */
import { droppedLine, type Marks, ROTATED, STREAMS } from "../model/logLine.ts";
import type { FreshLine } from "./logFollower.ts";

/** A message of its own. */
export interface Word {
  readonly type: "build";
  readonly chunk: string;
}

/** Lines that came together. */
export interface Lines {
  readonly text: string;
  /** With what ends them. */
  readonly bytes: number;
  /** 0: the beginning of a line that is too long for a message. */
  readonly lines: number;
  /** The last one of each stream; none for progress, which has no place. */
  readonly marks: Marks;
}

/** Lines that are missing. */
export interface Gap {
  readonly dropped: number;
  readonly reason: string;
}

export type Item = Lines | Gap | Word;

/** Bytes of lines that are one item; several of them make a message. */
const TOGETHER = 16 * 1024;

/** @param room bytes that fit into a message, more than 16 KiB */
export function* itemsOf(lines: readonly FreshLine[], room: number): Generator<Lines | Gap> {
  let together: FreshLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = sizeOf(line.text);
    if (together.length > 0 && (line.gap > 0 || bytes + size > TOGETHER)) {
      yield joined(together, bytes);
      together = [];
      bytes = 0;
    }
    if (line.gap > 0) yield { dropped: line.gap, reason: ROTATED };
    if (size > room) {
      yield* piecesOf(line, room);
      continue;
    }
    together.push(line);
    bytes += size;
  }
  if (together.length > 0) yield joined(together, bytes);
}

/** A line of the engine's progress. */
export const progressItem = (text: string): Lines => ({ text, bytes: sizeOf(text), lines: 1, marks: {} });

export const wordsOf = (item: Lines | Gap): string =>
  "text" in item ? item.text : droppedLine(item.dropped, item.reason);

export const countOf = (item: Item): number => ("lines" in item ? item.lines : "dropped" in item ? item.dropped : 0);

/** The marks after the last line of each stream. */
export const marksAfter = (items: readonly Item[], before: Marks): Marks =>
  Object.assign({}, before, ...items.map((item) => ("marks" in item ? item.marks : {})));

function joined(lines: readonly FreshLine[], bytes: number): Lines {
  return { text: lines.map(({ text }) => text).join("\n"), bytes, lines: lines.length, marks: marksOf(lines) };
}

const marksOf = (lines: readonly FreshLine[]): Marks =>
  Object.fromEntries(
    STREAMS.flatMap((stream) => {
      const last = lines.findLast((line) => line.stream === stream);
      return last ? [[stream, { stamp: last.stamp, nth: last.nth }]] : [];
    }),
  );

/** In bytes, with what ends a line. */
const sizeOf = (line: string): number => Buffer.byteLength(line) + 1;

/** A line that fits no message becomes several; no character is taken apart. */
function* piecesOf(line: FreshLine, room: number): Generator<Lines> {
  const { text } = line;
  const length = Math.floor(room / 3);
  for (let at = 0; at < text.length; ) {
    const end = at + length;
    const isInPair = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    const piece = text.slice(at, isInPair ? end - 1 : end);
    at += piece.length;
    const isLast = at >= text.length;
    yield { text: piece, bytes: sizeOf(piece), lines: isLast ? 1 : 0, marks: isLast ? marksOf([line]) : {} };
  }
}
