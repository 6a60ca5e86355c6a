/**
 * Follows the output of one container from where it was handed on last to its end: reads on after a stream that broke off,
 * and once more when the container has ended, since the engine may end a stream before the last lines (seen with Docker
 * 20.10: the last 2,000 of a stream in 2 of 12 runs). Whoever takes the lines holds the reading up, and nothing else.
 */
import { once } from "node:events";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ms, ms } from "../model/duration.ts";
import { type LogLine, msOf, secondsOf, stampOf } from "../model/logLine.ts";
import type { Engine } from "./docker.ts";
import { linesOf, openLog, type ReadOptions, readLines, unlessGone } from "./dockerLogs.ts";
import { LogSeam } from "./logSeam.ts";
import type { LogSieve } from "./logSieve.ts";

/** A line that was not handed on before. */
export interface FreshLine extends LogLine {
  /** The how-many-eth with its stamp it is. */
  readonly nth: number;
  /** So many lines before it, about, are not in the engine's log any more. */
  readonly gap: number;
}

export interface FollowOptions {
  readonly engine: Engine;
  readonly id: string;
  readonly sieve: LogSieve;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Resolves when more may come. */
  readonly take: (lines: readonly FreshLine[]) => Promise<void> | void;
}

/** Two streams are stamped by themselves, and may stand in the file a little out of order; a terminal is one stream, ms. */
const OVERLAPS = { two: 1_000, one: 50 } as const;
/**
 * What a running container prints is read so often. A socket holds 278 lines of the engine (of 100 bytes), so at most 23,000 a
 * second are read: who floods costs the device a tenth of a core, and not all that there is. More than anybody reads waits in
 * the engine's files, and is told when those are full. By the clock, so that a slow device reads as many.
 */
const BEAT = ms(12);
/** Lines a second that are read so at most. */
const MOST_READ = 23_000;
/** One that prints more than that, so that lines are lost whatever is read, leaves more of the device to the others. */
const LOSING_BEAT = ms(20);
/** Before a stream that broke off while the container runs is opened again, ms. */
const PAUSE = 500;
/** A reading that took longer than this may have been overtaken, ms. */
const SHORT = 250;
/** A reader that was held up, or lags behind, longer than this reads on from the engine's files, ms. */
const HELD_UP = 1_000;

/** Resolves when the container has ended and all of its output was taken. False: it is gone. @throws what the engine says */
export async function follow(options: FollowOptions): Promise<boolean> {
  return (await unlessGone(followWhile(options))) ?? false;
}

async function followWhile(options: FollowOptions): Promise<boolean> {
  const { engine, id, signal } = options;
  for (;;) {
    const info = await engine.container(id);
    if (!info) return false;
    const how = { isTerminal: info.Config.Tty, isOver: !info.State.Running };
    await catchUp(options, how);
    if (how.isOver || signal.aborted) return true;
    const isHeldUp = await readLive(options, { ...how, follow: true });
    if (signal.aborted) return true;
    if (!isHeldUp && (await engine.container(id))?.State.Running)
      await sleep(PAUSE, undefined, { signal }).catch(() => {});
  }
}

type How = Pick<ReadOptions, "isTerminal" | "isOver" | "follow">;

/** All that is in the engine's files, as often as it takes to be done quickly: it opens all files of a reading at its beginning. */
async function catchUp(options: FollowOptions, how: Omit<How, "follow">): Promise<void> {
  let fresh = 0;
  const take = (lines: readonly FreshLine[]) => {
    fresh += lines.length;
    return options.take(lines);
  };
  for (let took = SHORT; took >= SHORT && !options.signal.aborted; ) {
    fresh = 0;
    const begun = performance.now();
    await read({ ...options, take }, { ...how, follow: false });
    took = how.isOver || fresh === 0 ? 0 : performance.now() - begun;
  }
}

interface Read {
  /** It ends in the middle of a long line. */
  readonly isUnfinished: boolean;
  /** The line that it ends with. */
  readonly last: LogLine | undefined;
}

/** What is in the engine's files from the last line on. */
async function read(options: FollowOptions, how: How): Promise<Read> {
  const { signal } = options;
  let isUnfinished = false;
  let last: LogLine | undefined;
  const onUnfinished = () => {
    isUnfinished = true;
  };
  for await (const lines of readLines({ ...(await askFrom(options, how)), onUnfinished })) {
    last = lines.at(-1);
    await takeFresh(options, lines);
    if (signal.aborted) break;
  }
  return { isUnfinished, last };
}

/** From the last line on. */
async function askFrom({ engine, id, sieve, signal }: FollowOptions, how: How): Promise<ReadOptions> {
  const ask = { engine, id, signal, ...how };
  const seeks = sieve.isAhead && (await isThere(ask, sieve));
  const from = sieve.begin(seeks);
  const overlap = how.isTerminal ? OVERLAPS.one : OVERLAPS.two;
  return {
    ...ask,
    beat: how.isOver ? undefined : beatOf(sieve),
    since: from && secondsOf(stampOf(Math.max(msOf(from) - overlap, 0))),
  };
}

/**
 * What comes from now on, and before it what came until the engine has begun to follow: an engine that follows from earlier on
 * misses each rotation while it still reads what was before (seen with Docker 20.10: one file of 1 MB in three seconds). It
 * answers before it has begun; its last line, which it shows first, says that it has (without that lines between reading and
 * following were lost in one of 100 runs of a container that lives a moment).
 *
 * @returns true: its reader was held up or lags behind, so the engine may rotate a file away under it, or has.
 */
async function readLive(options: FollowOptions, how: How): Promise<boolean> {
  const { engine, id, signal, sieve } = options;
  const live = { engine, id, signal, beat: beatOf(sieve), ...how };
  const stream = await openLog({ ...live, tail: 1 });
  try {
    await somethingIn(stream);
    if (signal.aborted) return false;
    const { isUnfinished, last } = await read(options, { ...how, follow: false });
    // What began in the middle of a line would be taken for a whole one.
    if (isUnfinished) return await takeLive(options, readLines(await askFrom(options, how)));
    return await takeLive(options, linesOf(stream, live), last);
  } finally {
    stream.destroy();
  }
}

/** Resolves when a stream can be read, or has ended. What went wrong with it, its reader is told. */
async function somethingIn(stream: Readable): Promise<void> {
  const over = new AbortController();
  const events = ["readable", "end", "close"].map((event) => once(stream, event, { signal: over.signal }));
  await Promise.race(events).catch(() => {});
  over.abort();
}

async function takeLive(options: FollowOptions, live: AsyncIterable<LogLine[]>, last?: LogLine): Promise<boolean> {
  const seam = new LogSeam(last, options.sieve);
  for await (const lines of live) {
    const begun = performance.now();
    const after = seam.after(lines);
    if (!after) return true;
    const fresh = await takeFresh(options, after);
    if (options.signal.aborted) return false;
    if (performance.now() - begun > HELD_UP || lagOf(fresh, options.now()) > HELD_UP) return true;
  }
  return false;
}

/** Hands on those that are new. Answers them: an old line that is known says nothing about a lag. */
async function takeFresh({ sieve, take }: FollowOptions, lines: readonly LogLine[]): Promise<readonly FreshLine[]> {
  const fresh = freshOf(lines, sieve);
  if (fresh.length > 0) await take(fresh);
  return fresh;
}

/** How often a container is read that runs. */
export const beatOf = ({ isLosing, pace }: Pick<LogSieve, "isLosing" | "pace">): Ms =>
  isLosing && pace > MOST_READ ? LOSING_BEAT : BEAT;

/** How long ago the newest of these lines was printed, ms. */
const lagOf = (lines: readonly LogLine[], now: number): number => {
  const last = lines.at(-1);
  return last ? now - msOf(last.stamp) : 0;
};

/** Those of these lines that are new. */
export function freshOf(lines: readonly LogLine[], sieve: LogSieve): FreshLine[] {
  const fresh: FreshLine[] = [];
  for (const line of lines) {
    const nth = sieve.admit(line);
    if (nth > 0) fresh.push({ stream: line.stream, stamp: line.stamp, text: line.text, nth, gap: sieve.gap });
  }
  return fresh;
}

/** Whether the engine still has the line that was handed on last. */
async function isThere(ask: ReadOptions, sieve: LogSieve): Promise<boolean> {
  for await (const lines of readLines({ ...ask, follow: false }))
    if (lines.some((line) => sieve.isLast(line))) return true;
  return false;
}
