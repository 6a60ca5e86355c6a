/** What one more app costs in memory: the slope over 10, 50 and 100 that run. */
import { setTimeout as pause } from "node:timers/promises";
import { hears, isDevice, openStage } from "../test/support/stage.ts";
import type { Figure } from "./figures.ts";
import { anonymous, NODE_FLAGS, type Parts } from "./parts.ts";

const IDLE = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";

export async function memoryFigures(
  parts: Parts,
  counts: readonly number[],
  say: (text: string) => void,
): Promise<Figure[]> {
  await using s = await openStage({
    engineSocket: parts.socket,
    registry: parts.registry,
    nodeFlags: NODE_FLAGS,
    env: { ...parts.env },
    flags: ["-debug=false"],
  });
  let pid = 0;
  await s.see("connected", isDevice("CONNECTED"), () => {
    pid = s.startAgent().pid;
  });
  const points: (readonly [apps: number, kB: number])[] = [];
  let apps = 0;
  for (const count of counts) {
    for (; apps < count; apps++) {
      say(`app ${apps + 1} of ${counts.at(-1)}`);
      const key = await s.addLocal(apps + 1, IDLE);
      await s.see("it runs", hears(key, "RUNNING"), () => s.wantKey(key, "RUNNING"), 60_000);
    }
    say(`${count} apps, at rest`);
    // Long enough for the engine of JavaScript to tidy up, as it does where nothing happens.
    await pause(60_000);
    points.push([count, anonymous(pid) * 1_000]);
  }
  const slope = slopeOf(points);
  return [
    {
      name: `memory per further app, slope over ${counts.join(", ")} apps (${points.map(([, kB]) => (kB / 1_000).toFixed(1)).join(", ")} MB)`,
      unit: "kB",
      values: [slope],
      target: "<= 150 kB",
      isReached: slope <= 150,
    },
  ];
}

/** Least squares. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (all: readonly number[]) => all.reduce((sum, each) => sum + each, 0) / all.length;
  const [x, y] = [mean(points.map(([apps]) => apps)), mean(points.map(([, kB]) => kB))];
  const up = points.reduce((sum, [apps, kB]) => sum + (apps - x) * (kB - y), 0);
  return up / points.reduce((sum, [apps]) => sum + (apps - x) ** 2, 0);
}
