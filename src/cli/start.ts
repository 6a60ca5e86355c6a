/** `reagent start`: the demo that `npm start` shows. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runDemo } from "../studio/demo.ts";
import type { Command } from "./command.ts";

export const start: Command = {
  usage: "reagent start [--once]",
  summary: "Shows a device come alive, with a studio, a registry and an engine of its own",
  help: "--once   plays the story to its end and leaves; the exit code is 0 only if every step was seen",

  async run({ args, env, print, complain, isTerminal, signal }) {
    const { values } = parseArgs({ args: [...args], options: { once: { type: "boolean", default: false } } });
    try {
      const missing = await runDemo({
        folder: join(process.cwd(), ".reagent"),
        entry: process.argv[1] ?? "",
        env,
        once: values.once,
        isInColour: isTerminal && env["NO_COLOR"] === undefined,
        print,
        signal,
        now: Date.now,
      });
      if (missing === undefined) return 0;
      complain(`not seen in time: ${missing}`);
      return 1;
    } catch (error) {
      if (signal.aborted && error === signal.reason) return values.once ? 1 : 0;
      throw error;
    }
  },
};
