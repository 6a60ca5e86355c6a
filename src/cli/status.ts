/** `reagent status`: what the agent on this device is doing. Reads only. */
import { join } from "node:path";
import { parseFlags } from "../model/flags.ts";
import { Status } from "../model/status.ts";
import { ask } from "../services/controlClient.ts";
import type { Command } from "./command.ts";
import { statusScreen } from "./statusScreen.ts";

export const status: Command = {
  usage: "reagent status [--json] [-agentDir DIR]",
  summary: "Shows what the agent on this device is doing, and why",
  help: [
    "--json          one JSON object, for programs",
    "-agentDir DIR   the agent's home; default is REAGENT_HOME, else /opt/reagent",
  ].join("\n"),

  async run({ args, env, print }) {
    const isJson = args.some((word) => /^--?json$/.test(word));
    const flags = parseFlags(
      args.filter((word) => !/^--?json$/.test(word)),
      env,
    );
    const found = Status.parse(await ask(join(flags.agentDir, "reagent.sock"), "status"));
    if (isJson) print(JSON.stringify(found));
    else for (const line of statusScreen(found, Date.now())) print(line);
    return 0;
  },
};
