/** `reagent retry` and `reagent hold`: what waits is tried now, or is not tried again by itself. No wish changes by it. */
import { join } from "node:path";
import { parseFlags } from "../model/flags.ts";
import { Woken } from "../model/status.ts";
import { plainLine } from "../model/terminal.ts";
import { ask } from "../services/controlClient.ts";
import type { Command } from "./command.ts";

function waiting(request: "retry" | "hold", summary: string, more: string): Command {
  const usage = `reagent ${request} <app> [--json] [-agentDir DIR]`;
  return {
    usage,
    summary,
    help: [
      more,
      "<app>           its name, its key, or PROD:42, as `reagent status` shows them",
      "--json          one JSON object, for programs",
      "-agentDir DIR   the agent's home; default is REAGENT_HOME, else /opt/reagent",
      "Exit code 1: nothing is waiting.",
    ].join("\n"),

    async run({ args, env, print, complain }) {
      const isJson = args.some((word) => /^--?json$/.test(word));
      const [app, ...flags] = args.filter((word) => !/^--?json$/.test(word));
      if (app === undefined || app.startsWith("-")) {
        complain(usage);
        return 2;
      }
      const { agentDir } = parseFlags(flags, env);
      const answer = Woken.parse(await ask(join(agentDir, "reagent.sock"), request, { app }));
      print(isJson ? JSON.stringify(answer) : plainLine(`${answer.app}: ${answer.why}`));
      return answer.outcome === "refused" ? 1 : 0;
    },
  };
}

export const retry = waiting(
  "retry",
  "Tries again at once what waits after a failure",
  "Also a version that was set aside after it was rolled back, or could not be downloaded.",
);

export const hold = waiting(
  "hold",
  "Stops trying again what waits after a failure, until somebody asks",
  "`reagent retry`, and any new request of the studio, ends it.",
);
