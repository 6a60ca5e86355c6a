/** How long a device takes to answer a call while its logs flood a router that is slow to take them. */
import { setTimeout as pause } from "node:timers/promises";
import { dial } from "../test/support/link.ts";
import { type RouterName, startPeer } from "../test/support/realRouters.ts";
import { type Figure, percentile } from "./figures.ts";

/** A batch of lines as the agent sends them. */
const BATCH = "a line as apps print them, of some length, and then some more of it\n".repeat(120);

export async function floodFigures(seconds: number, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of ["crossbar", "nexus", "embedded"] as const) figures.push(await flood(name, seconds, say));
  return figures;
}

async function flood(name: RouterName, seconds: number, say: (text: string) => void): Promise<Figure> {
  await using peer = await startPeer(name);
  const device = await dial(peer.url).joined;
  const studio = await dial(peer.url, { authid: "dev2", readSecret: () => "s3cret2" }).joined;
  let got = 0;
  await studio.subscribe("logs.x", () => got++);
  await device.register("dev.handshake", () => ({ id: 1 }));
  let isOn = true;
  const produce = (async () => {
    while (isOn) {
      device.publish("logs.x", [BATCH]);
      await device.room("logs");
      // As the agent's own loop does: others get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await pause(2_000);
  const took: number[] = [];
  const [begun, first] = [performance.now(), got];
  while (performance.now() - begun < seconds * 1_000) {
    const asked = performance.now();
    await studio.call("dev.handshake");
    took.push(performance.now() - asked);
    say(`${name}: ${took.length} calls`);
    await pause(20);
  }
  const rate = ((got - first) * BATCH.length) / 1e6 / ((performance.now() - begun) / 1_000);
  isOn = false;
  await produce;
  device.close();
  studio.close();
  const p99 = percentile(took, 0.99);
  return {
    name: `answer to a call while logs flood ${name} at ${rate.toFixed(1)} MB/s (p99 ${p99.toFixed(1)})`,
    unit: "ms",
    values: took,
    target: "p99 <= 30 ms",
    isReached: p99 <= 30,
  };
}
