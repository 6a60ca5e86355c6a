/** `npm run bench [-- --only start|engine|update|fleet|burst|memory|idle|link|flood|storm|million|logs] [--runs N] [--quick] [--json]`: the figures, each beside what it is compared with. */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { fleetFigures, updateFigures } from "./appFigures.ts";
import { burstFigures } from "./burstFigures.ts";
import { engineFigures } from "./engineFigures.ts";
import { type Figure, linesOf, ratioOf } from "./figures.ts";
import { floodFigures } from "./floodFigures.ts";
import { idleFigures } from "./idleFigures.ts";
import { linkFigures } from "./linkFigures.ts";
import { logFigures } from "./logFigures.ts";
import { memoryFigures } from "./memoryFigures.ts";
import { millionFigures } from "./millionFigures.ts";
import { startParts } from "./parts.ts";
import { startFigures } from "./startFigures.ts";
import { stormFigures } from "./stormFigures.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "10" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const runs = values.quick ? 3 : Number(values.runs);
const say = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
};
const parts = await startParts();
const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  start: () => startFigures(parts, runs, say),
  engine: () => engineFigures(parts, runs, say),
  update: () => updateFigures(parts, runs, say),
  fleet: () => fleetFigures(parts, values.quick ? 10 : 50, values.quick ? 1 : 3, say),
  burst: () => burstFigures(parts, values.quick ? 100 : 1_000, say),
  memory: () => memoryFigures(parts, values.quick ? [2, 5, 10] : [10, 50, 100], say),
  link: () => linkFigures(parts, values.quick ? 3 : 9, values.quick ? 20 : 120, say),
  flood: () => floodFigures(values.quick ? 5 : 20, say),
  storm: () => stormFigures(values.quick ? 100 : 500, say),
  million: () => millionFigures(parts, values.quick ? 100_000 : 1_000_000, say),
  logs: () => logFigures(parts, values.quick, say),
  idle: () => idleFigures(parts, values.quick ? 5 : 50, values.quick ? 10 : 60, say),
};
if (values.only !== undefined && !(values.only in BENCHES)) {
  process.stderr.write(`--only is one of ${Object.keys(BENCHES).join(", ")}\n`);
  process.exitCode = 2;
}
try {
  if (!values.json) process.stdout.write(`${cpus().length} cores, load before ${loadavg()[0]?.toFixed(2)}\n`);
  for (const [name, run] of Object.entries(BENCHES)) {
    if (values.only !== undefined && values.only !== name) continue;
    const figures = await run();
    say("");
    for (const figure of figures)
      process.stdout.write(
        values.json ? `${JSON.stringify({ ...figure, ratio: ratioOf(figure) })}\n` : `${linesOf(figure).join("\n")}\n`,
      );
  }
} finally {
  await parts.stop();
}
