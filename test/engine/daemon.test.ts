/** The bundled agent as a process, through a real session, a real engine and a real registry. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { goes, hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; echo hello; while true; do sleep 1; done";

async function running(s: Stage, script = FOREVER) {
  await s.publish("1.0.0", script);
  const agent = s.startAgent();
  await s.see("the device is connected", isDevice("CONNECTED"));
  await s.see("the app runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  return agent;
}

async function runningContainers(s: Stage) {
  const all = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
  return all.map(({ State, Id }) => ({ State, Id }));
}

test.concurrent("an app is installed, runs, prints, is stopped and removed, and the states come in order", async () => {
  await using s = await startStage();
  await running(s);
  await s.see("its first line", reads("hello"));
  await s.see("it is stopped", hears(s.key, "PRESENT"), () => s.want("PRESENT"));
  expect(await runningContainers(s)).toEqual([]);
  await s.see("it is removed", hears(s.key, "REMOVED"), () => s.want("REMOVED"));
  expect(s.reports()).toEqual(["DOWNLOADING", "STARTING", "RUNNING", "STOPPING", "PRESENT", "DELETING", "REMOVED"]);
});

test.concurrent("a crash is reported, told in the app's log with its exit code, kept on disk and mended after the wait", async () => {
  await using s = await startStage();
  await running(s, "echo up; sleep 2; exit 7");
  await s.see("the exit code", reads("weather (PROD) exited with status code: 7"));
  await s.see("the wait", reads(/^Entered a crashloop \(1st attempt\), retrying in \d/));
  await s.see("it runs again", hears(s.key, "RUNNING"), () => {});
  expect(s.reports().slice(0, 5)).toEqual(["DOWNLOADING", "STARTING", "RUNNING", "FAILED", "STARTING"]);
});

test.concurrent("a container that ends at once: its output is read all the same", async () => {
  await using s = await startStage();
  await s.publish("1.0.0", "echo short and sweet; exit 3");
  s.startAgent();
  await s.see("the device is connected", isDevice("CONNECTED"));
  await s.see("it failed", hears(s.key, "FAILED"), () => s.want("RUNNING"), 60_000);
  await s.see("its last words", reads("short and sweet"), undefined, 3_000);
});

test.concurrent("SIGTERM: a goodbye, DISCONNECTED, exit code 0 within 3 s, and the app runs on untouched", async () => {
  await using s = await startStage();
  const agent = await running(s);
  const before = await runningContainers(s);
  const begun = performance.now();
  let code: number | null = null;
  await s.see("the studio knows", isDevice("DISCONNECTED"), async () => {
    code = await agent.stop();
  });
  expect(code).toBe(0);
  expect(performance.now() - begun).toBeLessThan(3_000);
  expect(await runningContainers(s)).toEqual(before);
});

test.concurrent("kill -9 and started again: the same container runs on, is told as RUNNING, and its output is followed", async () => {
  await using s = await startStage();
  const agent = await running(s, "trap 'exit 0' TERM; while true; do echo tick; sleep 1; done");
  const before = await runningContainers(s);
  await agent.kill();
  await s.see("it is told again", hears(s.key, "RUNNING"), () => s.startAgent());
  await s.see("its output", reads("tick"), () => {}, 5_000);
  expect(await runningContainers(s)).toEqual(before);
});

test.concurrent("the container ends while the agent is dead: the next agent starts it again as it is, unless something else is wanted", async () => {
  await using s = await startStage();
  const agent = await running(s);
  const [before] = await runningContainers(s);
  await agent.kill();
  await s.engine.stop(before?.Id ?? "", 0);
  const again = s.startAgent();
  await s.see("it runs again", goes(s.app, /^active\.running/), () => {});
  const [after] = await runningContainers(s);
  expect([after?.State, after?.Id]).toEqual(["running", before?.Id]);

  await again.kill();
  await s.engine.stop(before?.Id ?? "", 0);
  const env = { REAGENT_CONTAINERS_ACCESS: "/dev/null" };
  await s.see("it runs once more", goes(s.app, /^active\.running/), () => s.startAgent(env));
  const all = await runningContainers(s);
  expect(all.map(({ State, Id }) => [State, Id === before?.Id])).toEqual([["running", false]]);
});

test.concurrent("a cold boot without a router: the app runs, and is told when there is one", async () => {
  await using s = await startStage();
  const agent = await running(s);
  await agent.stop();
  for (const { Id } of await runningContainers(s)) await s.engine.remove(Id);
  await s.closeRouter();
  await s.see("it runs without a link", goes(s.app, /^active\.running/), () => s.startAgent());
  await s.see("it is told", hears(s.key, "RUNNING"), () => s.openRouter(), 30_000);
});

test.concurrent("the router is killed and comes back: the device is back, the container the same, the app told once more", async () => {
  await using s = await startStage();
  await running(s);
  const before = await runningContainers(s);
  await s.see("the link is lost", goes("connection", /^waiting\.reconnecting$/), () => s.closeRouter());
  await s.see("the app is told again", hears(s.key, "RUNNING"), () => s.openRouter(), 30_000);
  expect(await runningContainers(s)).toEqual(before);
});

test.concurrent.each([
  ["killed", (s: Stage, id: string) => s.engine.stop(id, 0)],
  ["removed", (s: Stage, id: string) => s.engine.remove(id)],
])("a container %s by hand is FAILED, and then another one runs", async (_, harm) => {
  await using s = await startStage();
  await running(s);
  const [before] = await runningContainers(s);
  await s.see("FAILED", hears(s.key, "FAILED"), () => harm(s, before?.Id ?? ""));
  await s.see("RUNNING", hears(s.key, "RUNNING"));
  const after = await runningContainers(s);
  expect(after).toHaveLength(1);
});

test.concurrent.each([
  ["a secret that the router refuses", { secret: "wrong" }, "waiting.rejected", "wamp.error.authentication_failed"],
  [
    "an address where nobody listens",
    { device_endpoint_url: "ws://127.0.0.1:1/" },
    "waiting.reconnecting",
    "ECONNREFUSED",
  ],
])("%s is said, and one that is mended in the file connects within 5 s", async (_, wrong, state, because) => {
  await using s = await startStage();
  const good = readFileSync(s.flock, "utf8");
  writeFileSync(s.flock, JSON.stringify({ ...JSON.parse(good), ...wrong }), { mode: 0o600 });
  await s.see("not connected", goes("connection", new RegExp(`^${state}$`)), () => s.startAgent());
  const { link } = Status.parse(await ask(join(s.home, "reagent.sock"), "status"));
  expect(link).toMatchObject({ state, because });
  await s.see("online", isDevice("CONNECTED"), () => writeFileSync(s.flock, good), 5_000);
  const { link: after } = Status.parse(await ask(join(s.home, "reagent.sock"), "status"));
  expect(after.url).toBe(JSON.parse(good).device_endpoint_url);
});

test.concurrent("it goes before the apps, itself and its session, where it runs as root", async () => {
  await using s = await startStage();
  const { pid } = s.startAgent();
  await s.see("the device is connected", isDevice("CONNECTED"));
  const chosen = getPriority();
  const nice = chosen === 0 && process.getuid?.() === 0 ? -5 : chosen;
  expect(getPriority(pid)).toBe(nice);
  const group = `/proc/${pid}/autogroup`;
  if (chosen === 0 && existsSync(group)) expect(readFileSync(group, "utf8")).toMatch(new RegExp(` nice ${nice}$`, "m"));
});

test.concurrent("home, database and sockets are for nobody else, and the device's secret is nowhere in them or in the log", async () => {
  await using s = await startStage();
  await running(s);
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect([mode(s.home), mode(`${s.home}/agent.db`), mode(`${s.home}/reagent.sock`)]).toEqual(["700", "600", "600"]);
  const { secret } = s.identity;
  const files = readdirSync(s.home).filter((name) => statSync(join(s.home, name)).isFile());
  expect(files.filter((name) => readFileSync(join(s.home, name), "latin1").includes(secret))).toEqual([]);
  expect(s.happened.filter((each) => JSON.stringify(each).includes(secret))).toEqual([]);
  const [container] = await runningContainers(s);
  expect(JSON.stringify(await s.engine.container(container?.Id ?? ""))).not.toContain(secret);
  expect(JSON.stringify(await ask(join(s.home, "reagent.sock"), "status"))).not.toContain(secret);
});
