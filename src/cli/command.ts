/** What a subcommand is, and what it is given instead of reaching for globals: so a test of it is a function call. */

export interface CommandContext {
  /** What follows the words of the subcommand. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One line to standard output. */
  readonly print: (line: string) => void;
  /** One line to standard error. */
  readonly complain: (line: string) => void;
  /** Somebody looks at standard output: colours and widths make sense. */
  readonly isTerminal: boolean;
  /** Fires at SIGINT or SIGTERM, and when nobody reads any more: end in order, soon. */
  readonly signal: AbortSignal;
}

/** 0 done, 1 failed, 2 wrong usage, 3 nobody answers on the control socket. */
export type ExitCode = 0 | 1 | 2 | 3;

export interface Command {
  /** `reagent status [--json]` */
  readonly usage: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints below usage and summary. */
  readonly help?: string;
  run(context: CommandContext): Promise<ExitCode>;
}

/** Runs it; undefined, or arguments that cannot be parsed, are wrong usage. */
export async function orUsage(
  { complain: say }: CommandContext,
  usage: string,
  run: () => Promise<ExitCode> | undefined,
): Promise<ExitCode> {
  try {
    const code = await run();
    if (code !== undefined) return code;
  } catch (error) {
    const isUsage =
      error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS");
    if (!isUsage) throw error;
    say(error.message);
  }
  say(`usage: ${usage}`);
  return 2;
}
