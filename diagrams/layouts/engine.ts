/** Whether Docker is there: one stream that is open, or a wait. */
import type { Layout } from "../draw/layout.ts";

export const engineLayout: Layout = {
  title: "Is the Docker engine there?",
  cells: { "watched.opening": [0, 0], "watched.live": [1, 0], waiting: [0, 1] },
  phases: { watched: "coming", "watched.live": "up", waiting: "trouble" },
  happy: [["watched.opening", "watched.live"]],
  words: { dueAt: "deadline", retryAt: "retry is due", "app.fact": "a fact about a container" },
  gaps: { rows: { 1: 64 } },
  note: [1, 1],
  legend: [9, 0],
};
