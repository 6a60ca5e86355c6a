/** `reagent runs`: the results of the last runs of an app. Reads only. */
import { type RunRecord, RunRecords } from "../model/runRecord.ts";
import { plainLine } from "../model/terminal.ts";
import { ofApp } from "./ofApp.ts";
import { span } from "./statusScreen.ts";

export const runs = ofApp({
  request: "runs",
  summary: "Shows how the last runs of an app began and ended, and what they said last",
  after: "The last 20 runs are kept, newest first.",
  show: (answer, isJson, print) => {
    const found = RunRecords.parse(answer);
    for (const line of isJson ? [JSON.stringify(found)] : runsScreen(found)) print(line);
    return 0;
  },
});

/** Lines for a terminal. */
export function runsScreen({ app, name, runs: all }: RunRecords): string[] {
  if (all.length === 0) return [`${app} ${name} has not run yet`];
  return [`${app} ${name}`, ...all.flatMap(runWords)].map((line) => plainLine(line));
}

function runWords({ version, begin, end, exitCode, signal, outOfMemory, reason, lastLines }: RunRecord): string[] {
  const began = new Date(begin).toISOString().replace(/\.\d+Z$/, "Z");
  if (end === undefined) return [`${began}  ${version}  runs`];
  const code = exitCode === undefined ? "nobody saw how it ended" : `exit code ${exitCode}`;
  const how = [code, signal, outOfMemory ? "out of memory" : undefined].filter(Boolean).join(", ");
  return [
    `${began}  ${version}  ran ${span(end - begin)}, ${how}`,
    ...(reason ? [`  ${reason}`] : []),
    ...lastLines.slice(-5).map((line) => `  | ${line}`),
  ];
}
