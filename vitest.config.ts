import { defineConfig } from "vitest/config";

const report = process.env["VITEST_REPORT"];
const common = {
  restoreMocks: true,
  unstubEnvs: true,
  execArgv: ["--expose-gc"],
  testTimeout: 30_000,
  hookTimeout: 60_000,
  // What is waited for comes late on a machine that has much else to do.
  expect: { poll: { timeout: 10_000 } },
  // One more than two cores: a fifth of the time of a test that talks to a router is waiting.
  maxWorkers: 3,
};

/** `unit` needs nothing but Node, `soak` only more time; `engine` starts a Docker engine and a registry of its own, `routers` real WAMP routers. */
export default defineConfig({
  test: {
    maxConcurrency: 3,
    reporters: report ? ["default", "json"] : ["default"],
    ...(report && { outputFile: { json: report } }),
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/engine/**", "test/routers/**", "test/soak/**"],
        },
      },
      { test: { ...common, name: "soak", include: ["test/soak/**/*.test.ts"] } },
      {
        test: {
          ...common,
          name: "routers",
          include: ["test/routers/**/*.test.ts"],
          fileParallelism: false,
          hookTimeout: 90_000,
        },
      },
      {
        test: {
          ...common,
          name: "engine",
          include: ["test/engine/**/*.test.ts"],
          globalSetup: "test/engine/globalSetup.ts",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
