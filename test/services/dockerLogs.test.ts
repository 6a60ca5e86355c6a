/** The engine's log taken apart, however it comes in pieces. */
import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LogLine, stampOf } from "../../src/model/logLine.ts";
import type { Engine } from "../../src/services/docker.ts";
import { Frames, readLines } from "../../src/services/dockerLogs.ts";

const ENTRY = 16_384;

/** As the engine writes a line: entries of 16 KiB, each with the stamp of the line. */
function entriesOf(text: string, n: number): Buffer[] {
  const bytes = Buffer.from(`${text}\n`);
  const head = Buffer.from(`${stampOf(n)} `);
  const count = Math.max(Math.ceil(bytes.length / ENTRY), 1);
  return Array.from({ length: count }, (_, at) => Buffer.concat([head, bytes.subarray(at * ENTRY, (at + 1) * ENTRY)]));
}

function framed(type: number, payload: Buffer): Buffer {
  const header = Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** Cut where the numbers say, again and again. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let [at, n] = [0, 0]; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

async function read(pieces: readonly Buffer[], isTerminal: boolean, isOver = true): Promise<LogLine[]> {
  const engine = { logs: async () => Readable.from(pieces, { objectMode: false }) } as unknown as Engine;
  const all: LogLine[] = [];
  const { signal } = new AbortController();
  const ask = { engine, id: "c", isTerminal, isOver, follow: false, signal };
  for await (const lines of readLines(ask)) all.push(...lines);
  return all;
}

const texts = fc.array(
  fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
    fc.integer({ min: 16_000, max: 40_000 }).map((length) => "long ".repeat(length / 5)),
  ),
  { maxLength: 12 },
);
const sizes = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 6 });

test("of a terminal: the lines that were written, whatever the pieces", async () => {
  await fc.assert(
    fc.asyncProperty(texts, sizes, async (written, at) => {
      const bytes = Buffer.concat(written.flatMap((text, n) => entriesOf(`${text}\r`, n)));
      const lines = await read(cut(bytes, at), true);
      expect(lines).toEqual(written.map((text, n) => ({ stream: 0, stamp: stampOf(n), text })));
    }),
    { numRuns: 60 },
  );
});

test("in frames: the lines of each stream, whatever the pieces", async () => {
  await fc.assert(
    fc.asyncProperty(texts, sizes, async (written, at) => {
      const bytes = Buffer.concat(
        written.flatMap((text, n) => entriesOf(text, n).map((entry) => framed((n % 2) + 1, entry))),
      );
      const lines = await read(cut(bytes, at), false);
      const of = (stream: number) => written.flatMap((text, n) => ((n % 2) + 1 === stream ? [text] : []));
      for (const stream of [1, 2])
        expect(lines.filter((line) => line.stream === stream).map(({ text }) => text)).toEqual(of(stream));
    }),
    { numRuns: 60 },
  );
});

test("what has no end is a line only when nothing can follow", async () => {
  const bytes = Buffer.from(`${stampOf(1)} one\n${stampOf(2)} two`);
  expect((await read([bytes], true, true)).map(({ text }) => text)).toEqual(["one", "two"]);
  expect((await read([bytes], true, false)).map(({ text }) => text)).toEqual(["one"]);
});

test("words of the engine in between are no output, and what is no frame is an error", async () => {
  const entry = Buffer.from(`${stampOf(1)} one\n`);
  const pieces = [framed(3, Buffer.from("Error grabbing logs")), framed(1, entry)];
  expect((await read(pieces, false)).map(({ text }) => text)).toEqual(["one"]);
  expect(() => new Frames().push(Buffer.from("2026-01-02 plain"))).toThrow(RangeError);
});
