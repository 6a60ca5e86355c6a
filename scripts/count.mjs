// @ts-check
/**
 * The last line of a run in CI: `node scripts/count.mjs REPORT CODE`, of vitest's JSON report and of the exit code of what
 * should have written it. Whatever went wrong before, between or after the tests counts as one failure.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * @param {string} report text of the report, as far as it was written
 * @param {number} code
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countsOf(report, code) {
  const counts = read(report);
  const { numPassedTests: passed = 0, numPendingTests = 0, numTodoTests = 0, success = false } = counts;
  const isFine = code === 0 && success && passed > 0;
  return {
    passed,
    failed: Math.max(counts.numFailedTests ?? 0, isFine ? 0 : 1),
    skipped: numPendingTests + numTodoTests,
  };
}

/**
 * A run that is cut off leaves no report, or half of one.
 * @param {string} report
 */
function read(report) {
  try {
    return JSON.parse(report);
  } catch {
    return {};
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , path = "", code = "1"] = process.argv;
  const { passed, failed, skipped } = countsOf(readFileSync(path, "utf8"), Number(code));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}
