/** What overtakes what on a slow line: by the topic or procedure alone, so that the order within one is kept. */
import { BACK_END } from "./backEnd.ts";
import type { Lane } from "./wampLanes.ts";

/** Calls and answers before what the back end must hear of apps, and that before their output. */
export function laneOf(uri: string): Lane {
  if (uri.startsWith("reswarm.logs.")) return "logs";
  return uri === BACK_END.report ? "state" : "control";
}
