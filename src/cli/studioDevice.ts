/** `reagent studio device add`: makes a device known to the studio, and gives its .flock file, which holds its secret. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { FlockText } from "../model/studio.ts";
import { type Command, type CommandContext, type ExitCode, orUsage } from "./command.ts";
import { askStudio } from "./studioAsk.ts";

const OPTIONS = { studio: { type: "string" }, output: { type: "string", short: "o" } } as const;

export const studioDevice: Command = {
  usage: "reagent studio device add <name> [-o FILE] [--studio DIR]",
  summary: "Makes a new device known, and its .flock file",
  help: "Without -o the file goes to standard output. FILE must not be there yet; it is readable for you alone.",
  run: (context) => orUsage(context, studioDevice.usage, () => run(context)),
};

function run(context: CommandContext): Promise<ExitCode> | undefined {
  const { values, positionals } = parseArgs({ args: [...context.args], options: OPTIONS, allowPositionals: true });
  const [verb, name, ...rest] = positionals;
  const { studio: folder, output } = values;
  if (verb !== "add" || name === undefined || rest.length > 0) return undefined;
  return askStudio(context, { folder, name: "add_device", params: { name } }, (done) => {
    const flock = FlockText.parse(done);
    const text = JSON.stringify(flock, null, 2);
    if (output === undefined) context.print(text);
    else return write(context, output, text, flock.name);
    return 0;
  });
}

/** The device is there by now; a file that cannot be written must not lose its secret. */
function write({ print, complain }: CommandContext, path: string, text: string, name: string): ExitCode {
  try {
    writeFileSync(path, `${text}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    complain(`${path} cannot be written (${String(error)}); this is the file of ${name}:`);
    print(text);
    return 1;
  }
  print(`${path}: the file of ${name}; start its agent with it, and keep it as you would keep a key`);
  return 0;
}
