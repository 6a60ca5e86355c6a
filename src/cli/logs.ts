/** `reagent logs`: what an app prints, asked of the agent on this device; needs no router. Reads only. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseFlags } from "../model/flags.ts";
import { type ShownLine, ShownLines } from "../model/logLine.ts";
import { instantIn } from "../model/logQuery.ts";
import { plainLine } from "../model/terminal.ts";
import { listen } from "../services/controlClient.ts";
import { type Command, type CommandContext, type ExitCode, orUsage } from "./command.ts";

const OPTIONS = {
  follow: { type: "boolean", short: "f", default: false },
  since: { type: "string" },
  tail: { type: "string" },
  json: { type: "boolean", default: false },
  agentDir: { type: "string" },
} as const;

/** Before what the agent says. */
const AGENT = "» ";
/** Columns of a line on a terminal, generously. */
const LONGEST_SHOWN = 10_000;

export const logs: Command = {
  usage: "reagent logs <app> [-f] [--since T] [--tail N] [--json] [-agentDir DIR]",
  summary: "Shows what an app has printed, and with -f what it prints from now on",
  help: [
    "<app>           its name, its key, or PROD:42, as `reagent status` shows them",
    "-f, --follow    goes on until Ctrl-C, also over restarts and updates of the app",
    "--since T       only later lines: 30m, 2h, 1700000000, 2026-01-02T03:04:05Z",
    "--tail N        at most the last N lines of what was printed so far; default is 5000, which is also the most",
    '--json          one JSON object a line: stream (0 terminal, 1 output, 2 error, "agent"), stamp, text',
    "-agentDir DIR   the agent's home; default is REAGENT_HOME, else /opt/reagent",
    `Of a container that is gone, the last 256 KiB that it printed are shown. What the agent says about the app has "${AGENT}" before it.`,
  ].join("\n"),
  run: (context) => orUsage(context, logs.usage, () => run(context)),
};

function run(context: CommandContext): Promise<ExitCode> | undefined {
  const args = context.args.map((word) => word.replace(/^-(?=agentDir\b)/, "--"));
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [app, ...others] = positionals;
  if (app === undefined || others.length > 0) return undefined;
  const { since, tail, follow, json, agentDir = parseFlags([], context.env).agentDir } = values;
  const why = whyNot(values);
  if (why !== undefined) {
    context.complain(why);
    return undefined;
  }
  const asked = { app, since, follow, ...(tail !== undefined && { tail: Number(tail) }) };
  return show(context, join(agentDir, "reagent.sock"), asked, json);
}

function whyNot({ since, tail }: { readonly since?: string; readonly tail?: string }): string | undefined {
  if (since !== undefined && instantIn(since, Date.now()) === undefined)
    return `--since ${since}: expected how long ago, as 30m, 2h, or a time, as 2026-01-02T03:04:05Z`;
  return tail === undefined || /^\d{1,9}$/.test(tail) ? undefined : `--tail ${tail}: expected a number of lines`;
}

async function show({ print, isTerminal, signal }: CommandContext, socket: string, asked: object, json: boolean) {
  const textOf = ({ stream, text }: ShownLine) => {
    const shown = stream === "agent" ? `${AGENT}${text}` : text;
    return isTerminal ? plainLine(shown, LONGEST_SHOWN) : shown;
  };
  for await (const part of listen(socket, "logs", asked, signal))
    for (const line of ShownLines.parse(part)) print(json ? JSON.stringify(line) : textOf(line));
  return 0 as const;
}
