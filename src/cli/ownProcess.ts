/** What a command has of the process that it is: its streams, and what ends it. */
import type { CommandContext } from "./command.ts";

/** A Ctrl-C under npm comes twice: from the terminal, and from npm, which hands it on (a millisecond later, npm 11), ms. */
const ONE_PRESS = 50;

/**
 * The signal fires at SIGINT and SIGTERM, when whoever reads the output leaves (`| head`), and when the terminal is
 * closed. What has no terminal lives on when one is closed, as `nohup` wants it. A second SIGINT or SIGTERM ends it at once.
 */
export function ownProcess(): Omit<CommandContext, "args"> {
  const over = new AbortController();
  const isTerminal = process.stdout.isTTY === true;
  const complain = (line: string) => void process.stderr.write(`${line}\n`);
  let since = 0;
  const onSignal = (name: NodeJS.Signals) => {
    if (over.signal.aborted) {
      if (performance.now() - since < ONE_PRESS) return;
      complain("reagent: ended at once; what is left of it the next start takes up or takes away");
      process.exit(name === "SIGINT" ? 130 : 143);
    }
    since = performance.now();
    over.abort(name);
  };
  const onLeft = () => over.abort("nobody reads");
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  if (isTerminal) process.on("SIGHUP", onLeft);
  process.stdout.on("error", onLeft);
  process.stderr.on("error", () => {
    // Nobody is there to be told.
  });
  return {
    env: process.env,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain,
    isTerminal,
    signal: over.signal,
  };
}
