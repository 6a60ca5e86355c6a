import { defineConfig } from "vitest/config";

const report = process.env["VITEST_REPORT"];

/** Three kinds of test: `unit` needs nothing but Node; `engine` and `bundle` need what scripts/setUp.mjs installs. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/engine/**", "test/routers/**", "test/browser/**", "test/bundle/**"],
    reporters: report ? ["default", "json"] : ["default"],
    ...(report && { outputFile: { json: report } }),
    testTimeout: 15_000,
    restoreMocks: true,
    unstubEnvs: true,
    execArgv: ["--expose-gc"],
  },
});
