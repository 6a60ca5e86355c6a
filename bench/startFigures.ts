/** The start of the bundle until its presence is registered, against the start of Node alone. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MiniRouter } from "../src/studio/router/minirouter.ts";
import { FILE } from "../test/support/flock.ts";
import { type Figure, median } from "./figures.ts";
import { NODE_FLAGS, type Parts, timed } from "./parts.ts";

export async function startFigures(parts: Parts, runs: number, say: (text: string) => void): Promise<Figure[]> {
  const authid = `${FILE.swarm_key}-${FILE.device_key}`;
  const users = { [authid]: { method: "wampcra", secret: String(FILE.secret), role: "device" } } as const;
  const router = await new MiniRouter({ users }).listen();
  let onPresence = () => {};
  const { dealer } = router.realm();
  const register = dealer.register.bind(dealer);
  dealer.register = (callee, uri, options) => {
    const id = register(callee, uri, options);
    if (String(uri).endsWith("wamp_connection_established")) onPresence();
    return id;
  };
  const home = join(parts.folder, "start");
  mkdirSync(home, { recursive: true });
  const flock = join(home, "x.flock");
  writeFileSync(flock, JSON.stringify({ ...FILE, device_endpoint_url: router.url }));
  const env = { ...process.env, ...parts.env, REAGENT_LOCK_MACHINE: "off", REAGENT_DOCKER_SOCKET: parts.socket };
  const args = [...NODE_FLAGS, "dist/reagent.mjs", "-config", flock, "-agentDir", home];
  const [agent, bare]: [number[], number[]] = [[], []];
  for (let run = -2; run < runs; run++) {
    say(`start ${run + 1}/${runs}`);
    const begun = performance.now();
    const child = spawn(process.execPath, args, { stdio: "ignore", env });
    const presence = new Promise<number>((resolve) => {
      onPresence = () => resolve(performance.now() - begun);
    });
    const took = await presence;
    child.kill("SIGTERM");
    await once(child, "exit");
    const alone = await timed(process.execPath, [...NODE_FLAGS, "-e", "0"], parts.env);
    // The first ones fill the compile cache.
    if (run < 0) continue;
    agent.push(took);
    bare.push(alone);
  }
  await router.close();
  return [
    {
      name: "start of the bundle to presence registered",
      unit: "ms",
      values: agent,
      beside: { name: "node -e 0", values: bare },
      target: "ratio <= 7",
      isReached: median(agent) / median(bare) <= 7,
    },
  ];
}
