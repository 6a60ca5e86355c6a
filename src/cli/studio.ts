/** `reagent studio`: serves a studio until it is told to end, and says what happens on it. */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { AgentError } from "../model/errors.ts";
import { plainLine } from "../model/terminal.ts";
import { startStudio } from "../studio/studio.ts";
import { openStudioControl } from "../studio/studioControl.ts";
import { type Command, type CommandContext, type ExitCode, orUsage } from "./command.ts";
import { folderOf } from "./studioAsk.ts";
import { linesOf } from "./studioEvents.ts";

const OPTIONS = {
  studio: { type: "string" },
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string" },
  registry: { type: "string", default: "127.0.0.1:5000" },
  logs: { type: "boolean", default: false },
} as const;

export const studio: Command = {
  usage: "reagent studio [--studio DIR] [--host H] [--port N] [--registry HOST:PORT] [--logs]",
  summary: "Serves a small studio for a bench of devices",
  help: [
    "--studio DIR      keeps devices, apps and wishes (REAGENT_STUDIO; default .reagent/studio)",
    "--host, --port    what devices dial; the port stays the same from then on",
    "--registry        where the images for new devices are",
    "--logs            follow what all apps say",
  ].join("\n"),
  run: (context) => orUsage(context, studio.usage, () => run(context)),
};

function run(context: CommandContext): Promise<ExitCode> | undefined {
  const { values } = parseArgs({ args: [...context.args], options: OPTIONS });
  const { studio: given, port, ...rest } = values;
  if (port !== undefined && !/^\d{1,5}$/.test(port)) return undefined;
  return serve(context, {
    ...rest,
    folder: folderOf(given, context),
    ...(port !== undefined && { port: Number(port) }),
  });
}

interface Serving {
  readonly folder: string;
  readonly host: string;
  readonly port?: number;
  readonly registry: string;
  readonly logs: boolean;
}

async function serve(context: CommandContext, { registry: registryHost, ...options }: Serving): Promise<ExitCode> {
  const { print, complain, signal } = context;
  try {
    const running = await startStudio({
      ...{ ...options, registryHost },
      onEvent: (event) => {
        for (const line of linesOf(event)) print(plainLine(line));
      },
    });
    try {
      const control = await openStudioControl(running);
      print(`the studio listens at ${running.url}, and keeps what it knows in ${running.folder}`);
      print("a device: `reagent studio device add <name> -o <name>.flock`, then start an agent with that file");
      print("an app:   `reagent studio app add <name> --key N --version V`, then `reagent studio app run <name>`");
      if (!signal.aborted) await once(signal, "abort");
      await control.close();
    } finally {
      await running.stop();
    }
    return 0;
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    complain(error.message);
    return 1;
  }
}
