#!/usr/bin/env node
/** The `reagent` command: finds the subcommand, runs it, turns its result into an exit code. Without one it is the daemon. */
import type { Command, CommandContext, ExitCode } from "./cli/command.ts";
import { ownProcess } from "./cli/ownProcess.ts";
import { AgentError, errorRow } from "./model/errors.ts";
import { nearest } from "./model/nearest.ts";

/** Each is loaded when it is asked for: the daemon carries none of them in its memory. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  "": async () => (await import("./cli/run.ts")).runAgent,
  start: async () => (await import("./cli/start.ts")).start,
  status: async () => (await import("./cli/status.ts")).status,
  retry: async () => (await import("./cli/waiting.ts")).retry,
  hold: async () => (await import("./cli/waiting.ts")).hold,
  logs: async () => (await import("./cli/logs.ts")).logs,
  runs: async () => (await import("./cli/runs.ts")).runs,
  studio: async () => (await import("./cli/studio.ts")).studio,
  "studio app": async () => (await import("./cli/studioApp.ts")).studioApp,
  "studio apps": async () => (await import("./cli/studioApps.ts")).studioApps,
  "studio device": async () => (await import("./cli/studioDevice.ts")).studioDevice,
};

type Io = Omit<CommandContext, "args">;

/** @returns 0 done, 1 failed, 2 wrong usage, 3 no agent answers. */
export async function cli(argv: readonly string[], io: Io): Promise<ExitCode> {
  const words = argv.slice(0, argv.findIndex((word) => word.startsWith("-")) >>> 0);
  const name = longest(words);
  if (name === undefined) {
    const hint = nearest(words[0] ?? "", Object.keys(COMMANDS));
    io.complain(`reagent has no command "${words[0]}"${hint ? `; did you mean "${hint}"?` : ""}`);
    io.complain("`reagent --help` lists them all");
    return 2;
  }
  const args = argv.slice(name === "" ? 0 : name.split(" ").length);
  const isForHelp = args.some((word) => /^--?h(elp)?$/.test(word));
  if (isForHelp && name === "") return listAll(io);
  const command = await COMMANDS[name]?.();
  if (command === undefined) return 2;
  if (isForHelp) return help(command, io);
  try {
    return await command.run({ ...io, args });
  } catch (error) {
    return failed(error, io);
  }
}

/** The longest run of first words that is a command; "" if there are no words at all. */
function longest(words: readonly string[]): string | undefined {
  if (words.length === 0) return "";
  const names = words.map((_, at) => words.slice(0, at + 1).join(" ")).filter((name) => name in COMMANDS);
  return names.at(-1);
}

async function listAll(io: Io): Promise<ExitCode> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  io.print("reagent keeps the app containers of one device running and reports to a studio over WAMP.\n");
  for (const { usage, summary } of commands) io.print(`  ${usage}\n      ${summary}`);
  io.print(`\nFlags of the agent:\n${commands[0]?.help ?? ""}`);
  return 0;
}

function help({ usage, summary, help: more }: Command, { print }: Io): ExitCode {
  print(`${usage}\n\n${summary}`);
  if (more) print(`\n${more}`);
  return 0;
}

function failed(error: unknown, { complain }: Io): ExitCode {
  const known = AgentError.from(error);
  complain(`reagent: ${known.message}`);
  complain(errorRow(known.code).todo);
  if (known.code === "internal" && known.cause instanceof Error) complain(known.cause.stack ?? "");
  if (known.code === "agent_not_running") return 3;
  return known.code === "bad_settings" ? 2 : 1;
}

if (import.meta.main) process.exit(await cli(process.argv.slice(2), ownProcess()));
