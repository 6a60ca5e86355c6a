/** Tells the back end the newest state of each app, while there is a link. */
import type { Layout } from "../draw/layout.ts";

export const reporterLayout: Layout = {
  title: "Telling the back end the newest state of each app",
  cells: { offline: [0, 0], online: [1, 0] },
  phases: { offline: "gone", online: "up" },
  happy: [["offline", "online"]],
  note: [0, 1],
  legend: [9, 0],
};
