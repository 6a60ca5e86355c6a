/**
 * The root of the actor tree, and its supervisor. It routes orders to apps and facts to whom they concern; it decides
 * nothing else.
 *
 * Tree: agent -> connection, engine, reporter, app:<stage>:<key>, logs:<stage>:<key>
 * Supervision: a defect ends one child alone. What it left behind is swept, and after a wait that doubles a fresh child
 * takes its place with what was remembered. Ten quiet minutes forget the crashes of all.
 * Rests in: serving. Picture: diagrams/agent.svg
 */
import { agent } from "./agentWords.ts";

export const agentMachine = agent.createMachine({
  id: "agent",
  context: ({ input }) => ({
    ...input,
    apps: new Map(),
    orphaned: new Map(),
    crashes: new Map(),
    reports: new Map(),
    isLinked: false,
  }),
  options: { maxIterations: 50 },
  initial: "serving",
  entry: ["spawnReporter", "spawnEngine", "spawnConnection", "spawnKnownApps"],

  on: {
    "app.ordered": { actions: "order" },
    "app.retry": { actions: "passOn" },
    "app.hold": { actions: "passOn" },
    "app.forget": { actions: "forget" },
    "app.repeat": { actions: "repeat" },
    "app.changed": { actions: "report" },
    "app.fact": { actions: ["passFact", "follow"] },
    "engine.back": { actions: "tellApps" },
    "engine.lost": { actions: "tellApps" },
    "link.up": { actions: "tellReporter" },
    "link.down": { actions: "tellReporter" },
    "link.dial": { actions: "dial" },
    "xstate.error.actor.*": { actions: ["bury", "restartLater"] },
    "child.restart": [
      { guard: "isEngine", actions: "spawnEngine" },
      { guard: "isReporter", actions: "spawnReporter" },
      { guard: "isConnection", actions: ["spawnConnection", "connect"] },
      { actions: "restartApp" },
    ],
    "crashes.forget": { actions: "forgetCrashes" },
  },

  states: {
    serving: { entry: "connect", on: { "agent.stop": "leaving" } },
    leaving: { entry: "leave", on: { "link.closed": "left" }, after: { leaveWithin: "left" } },
    left: { type: "final" },
  },
});
