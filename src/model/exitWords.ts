/** How a container ended, in words for a person. */
import type { Container } from "./app.ts";

/** What a shell and Docker add to the number of the signal that ended a process. */
const BY_SIGNAL = 128;

/** Signals that end programs, by their numbers on Linux (signal(7)). */
const SIGNALS: Readonly<Partial<Record<number, string>>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

/** The signal that an exit code stands for. */
export const signalOf = (exitCode: number): string | undefined => SIGNALS[exitCode - BY_SIGNAL];

/** `exit code 137 (SIGKILL), out of memory`; where nobody saw it, so. */
export function exitWords({ exitCode, isOutOfMemory }: Pick<Container, "exitCode" | "isOutOfMemory">): string {
  if (exitCode === undefined) return "nobody saw with which exit code";
  const signal = signalOf(exitCode);
  return `exit code ${exitCode}${signal ? ` (${signal})` : ""}${isOutOfMemory ? ", out of memory" : ""}`;
}
