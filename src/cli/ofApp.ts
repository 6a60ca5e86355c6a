/** A command about one app that the agent on this device answers: `reagent <request> <app>`. */
import { join } from "node:path";
import { parseFlags } from "../model/flags.ts";
import { ask } from "../services/controlClient.ts";
import type { Command, CommandContext, ExitCode } from "./command.ts";

interface About {
  /** Also the command's own word. */
  readonly request: "retry" | "hold" | "runs";
  readonly summary: string;
  /** First and last lines of the help. */
  readonly before?: string;
  readonly after: string;
  show(answer: unknown, isJson: boolean, print: CommandContext["print"]): ExitCode;
}

export function ofApp({ request, summary, before, after, show }: About): Command {
  const usage = `reagent ${request} <app> [--json] [-agentDir DIR]`;
  return {
    usage,
    summary,
    help: [
      ...(before ? [before] : []),
      "<app>           its name, its key, or PROD:42, as `reagent status` shows them",
      "--json          one JSON object, for programs",
      "-agentDir DIR   the agent's home; default is REAGENT_HOME, else /opt/reagent",
      after,
    ].join("\n"),

    async run({ args, env, print, complain }) {
      const isJson = args.some((word) => /^--?json$/.test(word));
      const [app, ...flags] = args.filter((word) => !/^--?json$/.test(word));
      if (app === undefined || app.startsWith("-")) {
        complain(usage);
        return 2;
      }
      const { agentDir } = parseFlags(flags, env);
      return show(await ask(join(agentDir, "reagent.sock"), request, { app }), isJson, print);
    },
  };
}
