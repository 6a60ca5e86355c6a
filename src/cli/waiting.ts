/** `reagent retry` and `reagent hold`: what waits is tried now, or is not tried again by itself. No wish changes by it. */
import { Woken } from "../model/status.ts";
import { plainLine } from "../model/terminal.ts";
import type { Command } from "./command.ts";
import { ofApp } from "./ofApp.ts";

const waiting = (request: "retry" | "hold", summary: string, before: string): Command =>
  ofApp({
    request,
    summary,
    before,
    after: "Exit code 1: nothing is waiting.",
    show: (answer, isJson, print) => {
      const woken = Woken.parse(answer);
      print(isJson ? JSON.stringify(woken) : plainLine(`${woken.app}: ${woken.why}`));
      return woken.outcome === "refused" ? 1 : 0;
    },
  });

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
