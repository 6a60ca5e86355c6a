/** `reagent start`: the demo that `npm start` shows. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runDemo } from "../studio/demo.ts";
import type { Command } from "./command.ts";
import { ROUTER_HELP, routerChoice } from "./startRouter.ts";

const OPTIONS = {
  once: { type: "boolean", default: false },
  router: { type: "string", default: "embedded" },
  "router-inside": { type: "string" },
  "router-key": { type: "string" },
} as const;

export const start: Command = {
  usage: "reagent start [--once] [--router embedded|nexus|crossbar|URL [--router-inside URL] --router-key FILE]",
  summary: "Shows a device come alive, with a studio, a registry and an engine of its own",
  help: [
    "--once              plays the story to its end and leaves; the exit code is 0 only if every step was seen",
    ROUTER_HELP,
  ].join("\n"),

  async run({ args, env, print, complain, isTerminal, signal }) {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const entry = process.argv[1] ?? "";
    try {
      const { "router-inside": inside, "router-key": key } = values;
      const router = await routerChoice({ router: values.router, inside, key, entry, signal });
      if (typeof router === "string") {
        complain(router);
        return 2;
      }
      const missing = await runDemo({
        folder: join(process.cwd(), ".reagent"),
        entry,
        router,
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
      if (isEndOf(signal, error)) return values.once ? 1 : 0;
      throw error;
    }
  },
};

/** Ctrl-C, or a closed terminal, goes to all in the foreground: a program that was just run may end by it before this one hears of it. */
function isEndOf(signal: AbortSignal, error: unknown): boolean {
  if (signal.aborted && error === signal.reason) return true;
  return error instanceof Error && "signal" in error && /^SIG(INT|TERM|HUP)$/.test(String(error.signal));
}
