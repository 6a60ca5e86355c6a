/** `reagent runs`: the results of the last runs of an app. Reads only. */
import { join } from "node:path";
import { parseFlags } from "../model/flags.ts";
import { type RunRecord, RunRecords } from "../model/runRecord.ts";
import { plainLine } from "../model/terminal.ts";
import { ask } from "../services/controlClient.ts";
import type { Command } from "./command.ts";
import { span } from "./statusScreen.ts";

const usage = "reagent runs <app> [--json] [-agentDir DIR]";

export const runs: Command = {
  usage,
  summary: "Shows how the last runs of an app began and ended, and what they said last",
  help: [
    "<app>           its name, its key, or PROD:42, as `reagent status` shows them",
    "--json          one JSON object, for programs",
    "-agentDir DIR   the agent's home; default is REAGENT_HOME, else /opt/reagent",
    "The last 20 runs are kept, newest first.",
  ].join("\n"),

  async run({ args, env, print, complain }) {
    const isJson = args.some((word) => /^--?json$/.test(word));
    const [app, ...flags] = args.filter((word) => !/^--?json$/.test(word));
    if (app === undefined || app.startsWith("-")) {
      complain(usage);
      return 2;
    }
    const { agentDir } = parseFlags(flags, env);
    const found = RunRecords.parse(await ask(join(agentDir, "reagent.sock"), "runs", { app }));
    if (isJson) print(JSON.stringify(found));
    else for (const line of runsScreen(found)) print(line);
    return 0;
  },
};

/** Lines for a terminal. */
export function runsScreen({ app, name, runs: all }: RunRecords): string[] {
  if (all.length === 0) return [`${app} ${name} has not run yet`];
  return [`${app} ${name}`, ...all.flatMap(runWords)].map((line) => plainLine(line));
}

function runWords({ version, begin, end, exitCode, signal, outOfMemory, reason, lastLines }: RunRecord): string[] {
  const began = new Date(begin).toISOString().replace(/\.\d+Z$/, "Z");
  if (end === undefined) return [`${began}  ${version}  runs`];
  const code = exitCode === undefined ? "nobody saw how it ended" : `exit code ${exitCode}`;
  const how = [code, signal, outOfMemory ? "out of memory" : undefined].filter(Boolean).join(", ");
  return [
    `${began}  ${version}  ran ${span(end - begin)}, ${how}`,
    ...(reason ? [`  ${reason}`] : []),
    ...lastLines.slice(-5).map((line) => `  | ${line}`),
  ];
}
