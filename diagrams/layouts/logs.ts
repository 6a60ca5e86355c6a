/** The output of one app: one run after the other. */
import type { Layout } from "../draw/layout.ts";

export const logsLayout: Layout = {
  title: "Following the output of one app",
  cells: { ended: [0, 0], paused: [1, 0], following: [2, 0] },
  phases: { ended: "gone", paused: "unsure", following: "up" },
  happy: [
    ["ended", "paused"],
    ["paused", "following"],
  ],
  words: { isOtherRun: "another run", isHeard: "somebody listens", isUnheard: "nobody listens" },
  note: [0, 1],
  legend: [9, 0],
};
