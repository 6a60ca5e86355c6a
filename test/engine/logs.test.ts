/**
 * The output of containers as the engine gives it: with a terminal, as apps have one, and without. Read on after every break,
 * each line comes once; what the engine does to long lines is taken back. And what fakes of the engine do in other tests.
 */
import { describe, expect, inject, test } from "vitest";
import type { LogLine, Marks } from "../../src/model/logLine.ts";
import { createEngine } from "../../src/services/docker.ts";
import { lastLines, readLines } from "../../src/services/dockerLogs.ts";
import { type FreshLine, follow } from "../../src/services/logFollower.ts";
import { LogSieve } from "../../src/services/logSieve.ts";
import { makeImage } from "../../src/studio/demoImage.ts";

const engine = createEngine({ socketPath: inject("socketPath") });
let count = 0;

async function container(script: string, isTerminal: boolean, logs = { "max-size": "10m", "max-file": "3" }) {
  const ref = `logs-${process.pid}-${++count}:1`;
  await makeImage(inject("socketPath"), { ref, script });
  const LogConfig = { Type: "json-file", Config: logs };
  const id = await engine.create(`rgl-${process.pid}-${count}`, {
    Image: ref,
    Tty: isTerminal,
    HostConfig: { LogConfig },
  });
  await engine.start(id);
  return {
    id,
    [Symbol.asyncDispose]: async () => {
      await engine.remove(id);
      await engine.removeImage(ref);
    },
  };
}

/** Reads it to its end, broken off every so many lines and read on by another reader that knows only the marks. */
async function readBroken(id: string, every: number): Promise<FreshLine[]> {
  const all: FreshLine[] = [];
  let marks: Marks = {};
  for (let isOver = false; !isOver; ) {
    const over = new AbortController();
    const sieve = new LogSieve(marks, Date.now);
    let left = every;
    const take = (lines: readonly FreshLine[]) => {
      for (const line of lines) {
        if (left-- <= 0) break;
        all.push(line);
        marks = { ...marks, [line.stream]: { stamp: line.stamp, nth: line.nth } };
      }
      if (left <= 0) over.abort();
    };
    await follow({ engine, id, sieve, signal: over.signal, now: Date.now, take });
    isOver = !over.signal.aborted;
  }
  return all;
}

const readAll = (id: string) => readBroken(id, Number.POSITIVE_INFINITY);

const numbers = (lines: readonly LogLine[], sign: string) =>
  lines.flatMap(({ text }) => (text.startsWith(sign) ? [Number(text.slice(1))] : []));
/** Where `0, 1, …` is not what was found. */
const broken = (found: readonly number[], length: number, from = 0) => [
  ...found.filter((number, at) => number !== from + at).slice(0, 3),
  ...(found.length === length ? [] : [`${found.length} lines`]),
];

/** `p o 1 9`: the lines o1 to o9. */
const PRINT = "p() { busybox awk -v s=$1 -v a=$2 -v b=$3 'BEGIN { for (i = a; i <= b; i++) print s i }'; }; ";
/** 20,000 lines in about three seconds, in bursts. */
const BURSTS = `${PRINT}for b in $(busybox seq 0 99); do p o $((b*200)) $((b*200+199)); sleep 0.02; done`;

describe("broken off again and again, and read on from the marks", () => {
  test("with a terminal: each line once, in order", async () => {
    await using box = await container(BURSTS, true);
    const lines = await readBroken(box.id, 1_500);
    expect(lines.filter(({ gap }) => gap > 0)).toEqual([]);
    expect(broken(numbers(lines, "o"), 20_000)).toEqual([]);
  });

  test("without one: each line of both streams once, each in order", async () => {
    const script = `${PRINT}for b in $(busybox seq 0 99); do p o $((b*100)) $((b*100+99)); p e $((b*100)) $((b*100+99)) >&2; sleep 0.02; done`;
    await using box = await container(script, false);
    const lines = await readBroken(box.id, 1_500);
    expect(lines.filter(({ gap }) => gap > 0)).toEqual([]);
    expect(
      broken(
        numbers(
          lines.filter(({ stream }) => stream === 1),
          "o",
        ),
        10_000,
      ),
    ).toEqual([]);
    expect(
      broken(
        numbers(
          lines.filter(({ stream }) => stream === 2),
          "e",
        ),
        10_000,
      ),
    ).toEqual([]);
  });

  test("in a file that is rotated every megabyte: nothing twice", async () => {
    await using box = await container(BURSTS.replaceAll("200", "400").replaceAll("199", "399"), true, {
      "max-size": "1m",
      "max-file": "5",
    });
    const found = numbers(await readBroken(box.id, 5_000), "o");
    expect(broken(found, 40_000)).toEqual([]);
  });

  test("in files so small that each is read as its lines come, where the engine shows its first line twice: each once", async () => {
    const script = "sleep 1; for n in $(busybox seq 0 69); do echo o$n; sleep 0.03; done";
    await using box = await container(script, true, { "max-size": "1k", "max-file": "20" });
    expect(broken(numbers(await readAll(box.id), "o"), 70)).toEqual([]);
  });

  test("what was rotated away is a gap, and the rest comes", async () => {
    await using box = await container(`${PRINT}echo o0; sleep 1; p o 1 60000`, true, {
      "max-size": "1m",
      "max-file": "2",
    });
    const first = new AbortController();
    let marks: Marks = {};
    const take = ([line]: readonly FreshLine[]) => {
      marks = { 0: line && { stamp: line.stamp, nth: line.nth } };
      first.abort();
    };
    await follow({
      engine,
      id: box.id,
      sieve: new LogSieve(marks, Date.now),
      signal: first.signal,
      now: Date.now,
      take,
    });
    await readAll(box.id);
    const rest: FreshLine[] = [];
    await follow({
      engine,
      id: box.id,
      sieve: new LogSieve(marks, Date.now),
      signal: new AbortController().signal,
      now: Date.now,
      take: (lines) => void rest.push(...lines),
    });
    expect(rest.findIndex(({ gap }) => gap > 0)).toBe(0);
    const found = numbers(rest, "o");
    expect(found.at(-1)).toBe(60_000);
    expect(broken(found, found.length, 60_001 - found.length)).toEqual([]);
  });
});

describe.each([true, false])("with a terminal: %s", (isTerminal) => {
  test("long lines come whole, without the engine's seams; what is no UTF-8 stays readable; an end without a newline counts", async () => {
    const script = [
      "busybox printf '%040000d\\n' 7",
      'busybox awk \'BEGIN { for (i = 0; i < 7000; i++) printf "ä"; print "" }\'',
      "busybox printf 'bad \\377 byte\\n'",
      "echo",
      "busybox printf 'no end'",
    ].join("; ");
    await using box = await container(script, isTerminal);
    const lines = await readAll(box.id);
    expect(lines.map(({ text }) => text)).toEqual([
      "7".padStart(40_000, "0"),
      "ä".repeat(7_000),
      "bad \uFFFD byte",
      "",
      "no end",
    ]);
    expect(lines.every(({ stamp }) => /^\d{4}-.{24}Z$/.test(stamp))).toBe(true);
  });

  test("a line of more than 1 MiB is cut, with a mark, and the next one is whole", async () => {
    await using box = await container(
      "busybox head -c 1500000 /dev/zero | busybox tr '\\0' x; echo; echo next",
      isTerminal,
    );
    const [line, next] = await readAll(box.id);
    expect(line?.text).toBe(
      `${"x".repeat(1 << 20)}… ${1_500_000 - (1 << 20)} byte(s) of this line dropped (longer than 1 MiB)`,
    );
    expect(next?.text).toBe("next");
  });

  test("who follows from the last line is shown it at once, and then what is printed", async () => {
    await using box = await container("echo 1; echo 2; sleep 2; echo 3", isTerminal);
    const stop = new AbortController();
    const ask = { engine, id: box.id, isTerminal, signal: stop.signal };
    const printed = async () => (await lastLines({ ...ask, isOver: false, follow: false })).lines.length;
    await expect.poll(printed).toBe(2);
    const shown: string[] = [];
    for await (const lines of readLines({ ...ask, isOver: false, follow: true, tail: 1 })) {
      if (shown.length === 0) expect(await printed()).toBe(2);
      shown.push(...lines.map(({ text }) => text));
    }
    expect(shown).toEqual(["2", "3"]);
  });
});

test("who asks for events is told those of the last moments too", async () => {
  const begun = Date.now();
  await using box = await container("sleep 1", false);
  const stop = new AbortController();
  const stream = await engine.events(begun, stop.signal);
  let told = "";
  for await (const chunk of stream) {
    told += chunk;
    if (told.includes(`"Action":"start"`) && told.includes(box.id)) break;
  }
  expect(told).toContain(`"Action":"create"`);
  stop.abort();
});
