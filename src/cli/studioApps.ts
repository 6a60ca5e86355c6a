/** `reagent studio apps`: what is wanted of each app on each device, and what was reported last. */
import { parseArgs } from "node:util";
import { AppOverview } from "../model/studio.ts";
import { type Command, type CommandContext, type ExitCode, orUsage } from "./command.ts";
import { askStudio } from "./studioAsk.ts";

const OPTIONS = { studio: { type: "string" }, json: { type: "boolean", default: false } } as const;

export const studioApps: Command = {
  usage: "reagent studio apps [--studio DIR] [--json]",
  summary: "Lists the apps: wanted and reported, on each device",
  run: (context) => orUsage(context, studioApps.usage, () => run(context)),
};

function run(context: CommandContext): Promise<ExitCode> {
  const { values } = parseArgs({ args: [...context.args], options: OPTIONS });
  return askStudio(context, { folder: values.studio, name: "apps" }, (done) => {
    const apps = AppOverview.array().parse(done);
    if (values.json) context.print(JSON.stringify(apps));
    else for (const line of table(apps)) context.print(line);
    return 0;
  });
}

function table(apps: readonly AppOverview[]): string[] {
  if (apps.length === 0) return ["no app is known yet; `reagent studio app add` makes one known"];
  const rows = apps.map(({ app, key, versions, device, deviceStatus, desired, reported }) => [
    `${app} (${key})`,
    versions.at(-1) ?? "",
    device === "" ? "no device yet" : `${device} (${deviceStatus})`,
    desired ? `${desired.target} ${desired.version}` : "-",
    reported ? `${reported.state} ${reported.version}`.trim() : "-",
  ]);
  const all = [["APP", "NEWEST", "DEVICE", "WANTED", "REPORTED"], ...rows];
  const widths = all[0]?.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0))) ?? [];
  return all.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
