/** Memory of the idle agent with one app, and what it does all day with fifty. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { hears, isDevice, openStage } from "../test/support/stage.ts";
import type { Figure } from "./figures.ts";
import { anonymous, countingProxy, cpuTime, NODE_FLAGS, type Parts } from "./parts.ts";

const IDLE = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";

export async function idleFigures(
  parts: Parts,
  apps: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const proxy = await countingProxy(join(parts.folder, "count.sock"), parts.socket);
  await using s = await openStage({
    engineSocket: parts.socket,
    registry: parts.registry,
    socketPath: proxy.path,
    nodeFlags: NODE_FLAGS,
    env: { ...parts.env },
    flags: ["-debug=false"],
  });
  await s.publish("1.0.0", IDLE);
  let pid = 0;
  await s.see("connected", isDevice("CONNECTED"), () => {
    pid = s.startAgent().pid;
  });
  await s.see("running", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  await pause(10_000);
  const bare = spawn(process.execPath, [...NODE_FLAGS, "-e", "setInterval(() => {}, 1e6)"], {
    stdio: "ignore",
    env: { ...process.env, ...parts.env },
  });
  await pause(2_000);
  const memory = anonymous(pid) - anonymous(bare.pid ?? 0);
  bare.kill("SIGKILL");

  for (let n = 1; n < apps; n++) {
    say(`starting app ${n + 1} of ${apps}`);
    await s.another(n, IDLE);
  }
  await pause(10_000);
  const [cpu, requests] = [cpuTime(pid), proxy.count()];
  for (let left = seconds; left > 0; left -= 5) {
    say(`idle, ${left} s left`);
    await pause(Math.min(5, left) * 1_000);
  }
  const percent = (cpuTime(pid) - cpu) / (seconds * 10);
  const asked = (proxy.count() - requests) / seconds;
  proxy.close();
  return [
    {
      name: "anonymous memory of the idle bundle with one app, minus a bare Node",
      unit: "MB",
      values: [memory],
      target: "<= 20 MB",
      isReached: memory <= 20,
    },
    {
      name: `CPU with ${apps} idle apps over ${seconds} s`,
      unit: "% of a core",
      values: [percent],
      target: "<= 0.3 %",
      isReached: percent <= 0.3,
    },
    {
      name: `engine requests with ${apps} idle apps`,
      unit: "per s",
      values: [asked],
      target: "0",
      isReached: asked === 0,
    },
  ];
}
