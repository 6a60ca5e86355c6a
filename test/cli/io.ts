/** What a command is given in a test, and what it said. */
import type { CommandContext } from "../../src/cli/command.ts";

export function fakeIo(env: Readonly<Record<string, string>> = {}) {
  const printed: string[] = [];
  const complained: string[] = [];
  const over = new AbortController();
  const io: Omit<CommandContext, "args"> = {
    env,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    isTerminal: false,
    signal: over.signal,
  };
  return { io, printed, complained, over };
}
