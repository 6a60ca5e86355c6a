/** Who listens gets what is printed, and nobody reads what nobody hears: on the real engine, over the real router. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dial } from "../support/link.ts";
import { goes, hears, isDevice, type Stage, startStage } from "./stage.ts";

const TICKS = "trap 'exit 0' TERM; n=0; while true; do echo tick $n; n=$((n+1)); sleep 0.1; done";

async function listener(s: Stage) {
  const { authid, secret } = s.operator();
  const line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  const session = await line.joined;
  const heard: string[] = [];
  const take = ([message]: unknown[]) => {
    if (typeof message === "string") heard.push(...message.split("\n"));
    else heard.push(`* ${(message as { chunk: string }).chunk}`);
  };
  const topic = `reswarm.logs.${s.identity.serial_number}.`;
  return {
    heard,
    listen: (match?: "prefix") => session.subscribe(match ? topic : topic + s.container, take, match ? { match } : {}),
    [Symbol.asyncDispose]: async () => {
      session.close();
      await line.end;
    },
  };
}

async function online() {
  const s = await startStage({ isProxied: true, logs: false, env: { REAGENT_CONTAINERS_STOP_GRACE: "1" } });
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  return s;
}
const readings = (s: Stage) => s.proxy.asked.filter(({ path }) => path.endsWith("/logs")).length;

test("while nobody listens nothing is read; who comes late hears from then on, and once beside a bridge by prefix", async () => {
  await using s = await online();
  await using late = await listener(s);
  await using bridge = await listener(s);
  await s.publish("1.0.0", TICKS);
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  const logs = `logs:PROD:${s.key}`;
  expect(readings(s)).toBe(0);
  await s.see("it is followed", goes(logs, /^following$/), () => late.listen());
  await expect.poll(() => late.heard.length, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(Number(late.heard[0]?.slice(5))).toBeGreaterThan(0);
  const leave = await bridge.listen("prefix");
  await expect.poll(() => bridge.heard.length, { timeout: 10_000 }).toBeGreaterThan(3);
  const all = late.heard.filter((line) => line.startsWith("tick"));
  expect(new Set(all).size).toBe(all.length);
  await late[Symbol.asyncDispose]();
  const count = bridge.heard.length;
  await expect.poll(() => bridge.heard.length, { timeout: 10_000 }).toBeGreaterThan(count + 3);
  await s.see("nobody is left", goes(logs, /^paused$/), leave);
});

test("a container that lives a moment: its whole output in order, then how it ended; its last output is kept", async () => {
  await using s = await online();
  await using one = await listener(s);
  await one.listen();
  await s.publish("1.0.0", "busybox seq 1 5000; exit 7");
  await s.see("it failed", hears(s.key, "FAILED"), () => s.want("RUNNING"), 60_000);
  // Which of the two comes first depends on whether its start was still looked at.
  const isEnd = (line: string) => /^\* (.* exited with status code: 7|The app failed to start, .*)$/.test(line);
  await expect.poll(() => one.heard.findIndex(isEnd), { timeout: 20_000 }).toBeGreaterThan(0);
  const lines = one.heard.slice(0, one.heard.findIndex(isEnd)).filter((line) => /^\d+$/.test(line));
  const missing = Array.from({ length: 5_000 }, (_, at) => String(at + 1)).filter((n) => !lines.includes(n));
  expect({ missing, after: one.heard.slice(one.heard.findIndex(isEnd)) }).toMatchObject({ missing: [] });
  expect(lines.map(Number)).toEqual(Array.from({ length: 5_000 }, (_, at) => at + 1));
  const path = join(s.home, "logs", `PROD-${s.key}.last`);
  await expect.poll(() => readFileSync(path, "utf8").trimEnd().endsWith(" 5000")).toBe(true);
  expect([statSync(path).mode & 0o777, statSync(path).size <= 256 * 1024 + 100]).toEqual([0o600, true]);
});
