/** The output of one app: one run after the other. */
import type { Layout } from "../draw/layout.ts";

export const logsLayout: Layout = {
  title: "Following the output of one app",
  cells: { ended: [0, 0], following: [1, 0] },
  phases: { ended: "gone", following: "up" },
  happy: [["ended", "following"]],
  words: { isOtherRun: "another run" },
  note: [0, 1],
  legend: [9, 0],
};
