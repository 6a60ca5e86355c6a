import type { Layout } from "../draw/layout.ts";

/** The way online winds down to the right; below it what comes after a loss. */
export const connectionLayout: Layout = {
  title: "The line from a device to the router",
  cells: {
    offline: [0, 1],
    "linked.connecting": [1, 1],
    "linked.challenged": [2, 1],
    "linked.leaving": [1, 2],
    "linked.authenticated.haunted": [3, 0],
    "linked.authenticated.claiming": [3, 1],
    "linked.authenticated.testifying": [4, 1],
    "linked.authenticated.identifying": [4, 2],
    "linked.authenticated.registering": [3, 2],
    "linked.authenticated.synchronising": [3, 3],
    "linked.authenticated.online": [4, 3],
    "waiting.reconnecting": [2, 4],
    "waiting.rejected": [3, 4],
    "waiting.duplicate": [3, 5],
  },
  phases: {
    offline: "gone",
    linked: "coming",
    "linked.authenticated.online": "up",
    "linked.leaving": "going",
    waiting: "trouble",
  },
  happy: [
    [
      "offline",
      "linked.connecting",
      "linked.challenged",
      "linked.authenticated.claiming",
      "linked.authenticated.testifying",
    ],
    ["linked.authenticated.testifying", "linked.authenticated.identifying", "linked.authenticated.registering"],
    ["linked.authenticated.registering", "linked.authenticated.synchronising", "linked.authenticated.online"],
  ],
  words: { dueAt: "deadline", retryAt: "retry is due", ghostPause: "ghost pause over", isMaybeGhost: "maybe my ghost" },
  orders: ["order"],
  hushed: ["isCurrent"],
  gaps: { rows: { 1: 16 } },
  note: [0, 5],
  legend: [0, 6],
};
