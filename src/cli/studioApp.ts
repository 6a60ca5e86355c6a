/** `reagent studio app`: publishes versions of apps, and says what is wanted of an app on a device. */
import { parseArgs } from "node:util";
import type { Target } from "../model/app.ts";
import { Granted, type NewApp } from "../model/studio.ts";
import { plainLine } from "../model/terminal.ts";
import { type Command, type CommandContext, type ExitCode, orUsage } from "./command.ts";
import { askStudio } from "./studioAsk.ts";

const TARGETS: Readonly<Record<string, Target>> = {
  run: "RUNNING",
  stop: "PRESENT",
  remove: "REMOVED",
  uninstall: "UNINSTALLED",
};
const OPTIONS = {
  studio: { type: "string" },
  version: { type: "string", multiple: true },
  device: { type: "string" },
  key: { type: "string" },
  json: { type: "boolean", default: false },
} as const;

export const studioApp: Command = {
  usage:
    "reagent studio app run|stop|remove|uninstall|add <app> [--version V] [--device D] [--key N] [--studio DIR] [--json]",
  summary: "Says what is wanted of an app, or makes a version of it known",
  help: [
    "uninstall takes away the app's data too.",
    "What is asked is written down at once, and reaches a device that is away when it comes.",
    "Without --version: the version that was wanted before, else the newest.",
    "add <name> --key N --version V...: versions oldest first; an app that is known gets those that are new.",
  ].join("\n"),
  run: (context) => orUsage(context, studioApp.usage, () => run(context)),
};

function run(context: CommandContext): Promise<ExitCode> | undefined {
  const { values, positionals } = parseArgs({ args: [...context.args], options: OPTIONS, allowPositionals: true });
  const [verb = "", app, ...rest] = positionals;
  const { studio: folder, version: versions = [], device, json } = values;
  if (app === undefined || rest.length > 0) return undefined;
  if (verb === "add") return add(context, folder, { key: Number(values.key), name: app, versions });
  const target = Object.hasOwn(TARGETS, verb) ? TARGETS[verb] : undefined;
  if (target === undefined || versions.length > 1) return undefined;
  const params = { app, target, version: versions[0], device };
  return askStudio(context, { folder, name: "desire", params }, (done) => tell(context, Granted.parse(done), json));
}

function tell({ print }: CommandContext, granted: Granted, isJson: boolean): ExitCode {
  const { app, device, target, version, outcome, why } = granted;
  print(isJson ? JSON.stringify(granted) : plainLine(`${app} ${version} on ${device}, ${target}: ${outcome} (${why})`));
  return outcome === "refused" || outcome === "failed" ? 1 : 0;
}

function add(context: CommandContext, folder: string | undefined, params: NewApp) {
  return askStudio(context, { folder, name: "add_app", params }, () => {
    context.print(`${params.name} ${params.versions.join(", ")} can be run now`);
    return 0;
  });
}
