/**
 * Notices that the wall clock was set, or that the machine slept: timers run on a clock that stands still meanwhile, so a wait
 * of a minute may end an hour late. Whoever waits for the network had better look at once.
 */
import { type Ms, seconds } from "../model/duration.ts";

export interface ClockWatchOptions {
  /** ms since 1970. */
  readonly now: () => number;
  /** ms that no clock step moves; stands still while the machine sleeps. */
  readonly monotonic: () => number;
  /** How far the two moved apart: positive after a sleep or a step forward. */
  readonly onStep: (ms: number) => void;
  /** Default is 5 s. */
  readonly every?: Ms;
}

/** Less than this is what a clock is corrected by. */
const STEP = seconds(2);

/** Answers what ends it. */
export function watchClock({ now, monotonic, onStep, every = seconds(5) }: ClockWatchOptions): () => void {
  let offset = now() - monotonic();
  const timer = setInterval(() => {
    const moved = now() - monotonic() - offset;
    offset += moved;
    if (Math.abs(moved) >= STEP) onStep(moved);
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}
