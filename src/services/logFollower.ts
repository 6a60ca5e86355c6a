/**
 * Follows the output of one container from where it was handed on last to its end: reads on after a stream that broke off,
 * and once more when the container has ended, since the engine may end a stream before the last lines (seen with Docker
 * 20.10: the last 2,000 of a stream in 2 of 12 runs). Whoever takes the lines holds the reading up, and nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type LogLine, secondsOf, stampOf } from "../model/logLine.ts";
import type { Engine } from "./docker.ts";
import { type ReadOptions, readLines } from "./dockerLogs.ts";
import { hasStatus } from "./dockerModem.ts";
import type { LogSieve } from "./logSieve.ts";

/** A line that was not handed on before. */
export interface FreshLine extends LogLine {
  /** The how-many-eth with its stamp it is. */
  readonly nth: number;
  /** Lines before it are not in the engine's log any more. */
  readonly isGap: boolean;
}

export interface FollowOptions {
  readonly engine: Engine;
  readonly id: string;
  readonly sieve: LogSieve;
  readonly signal: AbortSignal;
  /** Resolves when more may come. */
  readonly take: (lines: readonly FreshLine[]) => Promise<void> | void;
}

/** Stamps of two streams may be a little out of order (4 of 4,000, by less than 1 ms), and `since` is asked for generously, ms. */
const OVERLAP = 50;
/** Before a stream that broke off while the container runs is opened again, ms. */
const PAUSE = 500;
/** A reading that took longer than this may have been overtaken, ms. */
const SHORT = 250;
/** A reader that was held up longer than this reads on from the engine's files, ms. */
const HELD_UP = 1_000;

/** Resolves when the container has ended and all of its output was taken. False: it is gone. @throws what the engine says */
export async function follow(options: FollowOptions): Promise<boolean> {
  try {
    return await followWhile(options);
  } catch (error) {
    if (hasStatus(error, 404)) return false;
    throw error;
  }
}

async function followWhile(options: FollowOptions): Promise<boolean> {
  const { engine, id, signal } = options;
  for (;;) {
    const info = await engine.container(id);
    if (!info) return false;
    const isOver = !info.State.Running;
    const isTerminal = info.Config.Tty;
    await catchUp(options, { isTerminal, isOver });
    if (isOver || signal.aborted) return true;
    const isHeldUp = await read(options, { isTerminal, isOver, follow: true });
    if (signal.aborted) return true;
    if (!isHeldUp && (await engine.container(id))?.State.Running)
      await sleep(PAUSE, undefined, { signal }).catch(() => {});
  }
}

type How = Pick<ReadOptions, "isTerminal" | "isOver" | "follow">;

/**
 * What is in the engine's files, as often as it takes to be done quickly. The engine opens all files of a reading at its
 * beginning, so none is lost; but one that follows misses each rotation while it still reads what was before (seen with Docker
 * 20.10: a file of 1 MB in three seconds).
 */
async function catchUp(options: FollowOptions, how: Pick<How, "isTerminal" | "isOver">): Promise<void> {
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

/** True: its reader was held up, so the engine may rotate a file away under it. */
async function read(options: FollowOptions, how: How): Promise<boolean> {
  const { engine, id, sieve, signal, take } = options;
  const ask = { engine, id, signal, ...how };
  const seeks = sieve.isAhead && (await isThere(ask, sieve));
  const from = sieve.begin(seeks);
  const since = from && secondsOf(stampOf(Math.max(Date.parse(`${from.slice(0, 23)}Z`) - OVERLAP, 0)));
  for await (const lines of readLines({ ...ask, since })) {
    const fresh = freshOf(lines, sieve);
    const begun = performance.now();
    if (fresh.length > 0) await take(fresh);
    if (signal.aborted) return false;
    if (how.follow && performance.now() - begun > HELD_UP) return true;
  }
  return false;
}

/** Those of these lines that are new. */
export function freshOf(lines: readonly LogLine[], sieve: LogSieve): FreshLine[] {
  const fresh: FreshLine[] = [];
  for (const line of lines) {
    const nth = sieve.admit(line);
    if (nth > 0) fresh.push({ stream: line.stream, stamp: line.stamp, text: line.text, nth, isGap: sieve.isAfterGap });
  }
  return fresh;
}

/** Whether the engine still has the line that was handed on last. */
async function isThere(ask: ReadOptions, sieve: LogSieve): Promise<boolean> {
  for await (const lines of readLines({ ...ask, follow: false }))
    if (lines.some((line) => sieve.isLast(line))) return true;
  return false;
}
