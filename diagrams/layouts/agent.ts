/** The root: it serves, and leaves when it is told to. What it routes stands in the note. */
import type { Layout } from "../draw/layout.ts";

export const agentLayout: Layout = {
  title: "The root: routes orders and facts; supervises connection, engine, reporter, apps and their logs",
  cells: { serving: [0, 0], leaving: [1, 0], left: [2, 0] },
  phases: { serving: "up", leaving: "going", left: "gone" },
  happy: [],
  noted: "Whatever it is told, in every state",
  words: {
    leaveWithin: "3 s are over",
    "app.ordered": "an order for an app",
    "app.changed": "an app is in another state",
    "app.fact": "a fact about a container",
    "app.repeat": "say the state once more",
    "app.forget": "an app is gone",
    "child.restart": "time for a fresh child",
    "crashes.forget": "ten quiet minutes",
    failed: "a child died",
  },
  note: [0, 1],
  legend: [9, 0],
};
