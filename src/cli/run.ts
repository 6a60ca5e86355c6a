/** `reagent -config FILE`: the daemon itself, in the foreground, until SIGINT or SIGTERM. */
import { once } from "node:events";
import { architectureOf } from "../model/architecture.ts";
import { AgentError } from "../model/errors.ts";
import { flagsHelp, parseFlags } from "../model/flags.ts";
import { VERSION } from "../model/version.ts";
import type { Command } from "./command.ts";

export const runAgent: Command = {
  usage: "reagent -config FILE [flags]",
  summary: "Runs the agent until SIGINT or SIGTERM; app containers go on without it",
  help: flagsHelp().join("\n"),

  async run({ args, env, print, complain, signal }) {
    const flags = parseFlags(args, env);
    if (flags.version || flags.arch) {
      print(flags.version ? VERSION : architectureOf(process.arch).name);
      return 0;
    }
    if (!flags.config) {
      complain("'-config' argument is required: the path of this device's .flock file (reagent --help)");
      return 2;
    }
    const { run } = await import("../main.ts");
    const agent = await run({ flags, config: flags.config, env, version: VERSION });
    try {
      await Promise.race([signal.aborted || once(signal, "abort"), agent.failed]);
      return 0;
    } catch (error) {
      complain(`the agent cannot go on: ${AgentError.from(error).message}`);
      return 1;
    } finally {
      await agent.stop();
    }
  },
};
