/** What a studio asks of a device about its logs, images and figures: the agent as a process, a real engine, every answer over the link. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RequestError } from "../../src/services/wampCauses.ts";
import type { Session } from "../../src/services/wampSession.ts";
import { makeImage } from "../../src/studio/demoImage.ts";
import { dial, type Line } from "../support/link.ts";
import { goes, hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const TEN = "trap 'exit 0' TERM; for n in 0 1 2 3 4 5 6 7 8 9; do echo line $n; done; while true; do sleep 0.2; done";
let s: Stage;
let line: Line;
let session: Session;

beforeAll(async () => {
  s = await startStage({ env: { REAGENT_CONTAINERS_STOP_GRACE: "1" } });
  await s.publish("1.0.0", TEN);
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  await s.see("it has printed", reads("line 9"));
  const { authid, secret } = s.operator();
  line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  session = await line.joined;
}, 90_000);
afterAll(async () => {
  session?.close();
  await line?.end;
  await s?.[Symbol.asyncDispose]();
});

const ask = async (name: string, ...args: unknown[]) =>
  (await session.call(`re.mgmt.${s.identity.serial_number}.${name}`, args)).args;
const logs = async (more: object = {}) => (await ask("query_app_logs", { containerName: s.container, ...more }))[0];
const words = async (name: string, ...args: unknown[]) =>
  await ask(name, ...args).then(
    () => "an answer",
    (error: RequestError) => error.args,
  );
const plain = { timestamps: false };

test("the last lines, by number and offset; what is not there is empty", async () => {
  expect(await logs({ ...plain, tail: 3 })).toMatchObject({
    ...{ lines: ["line 7", "line 8", "line 9"], source: "docker", returned: 3, truncated: false },
  });
  expect(await logs({ ...plain, tail: 3, offset: 2 })).toMatchObject({ lines: ["line 5", "line 6", "line 7"] });
  expect(await logs({ ...plain, offset: 1_000_000 })).toMatchObject({ lines: [], returned: 0 });
  const { lines, device_time, oldest_available } = (await logs({ tail: 1 })) as Record<string, string>;
  expect(lines?.[0]).toMatch(/^\d{4}-\S{25} line 9$/);
  expect([Date.parse(device_time ?? ""), Date.parse(oldest_available ?? "")].some(Number.isNaN)).toBe(false);
});

test("a window is by the device's clock", async () => {
  expect(await logs({ until: "1h" })).toMatchObject({ lines: [] });
  expect(await logs({ ...plain, since: "1h", tail: 1 })).toMatchObject({ lines: ["line 9"] });
});

test("a name that nobody knows, and a container of somebody else, have no lines", async () => {
  expect(await logs({ containerName: "prod_1_ghost" })).toMatchObject({ lines: null, source: "history", returned: 0 });
  await makeImage(s.engineSocket, { ref: "stranger:1", script: "echo secret" });
  const id = await s.engine.create("stranger", { Image: "stranger:1" });
  await s.engine.start(id);
  expect(await logs({ containerName: "stranger" })).toMatchObject({ lines: null, source: "history" });
  await s.engine.remove(id);
  await s.engine.removeImage("stranger:1");
});

test("the flat history has the container's lines and the agent's words, in order", async () => {
  const [history] = (await ask("get_app_log_history", { containerName: s.container })) as [string[]];
  expect(history.filter((each) => each.startsWith("line"))).toHaveLength(10);
  expect(history.indexOf("Starting weather...")).toBeLessThan(history.indexOf("line 0"));
});

test("the agent's own log, by level, without a secret", async () => {
  const [{ lines, files_scanned }] = (await ask("query_device_logs", { level: "info" })) as [
    { lines: string[]; files_scanned: number },
  ];
  expect(lines[0]).toMatch(/^\S+Z INFO the agent runs /);
  expect(files_scanned).toBe(1);
  expect(lines.join("\n")).not.toContain(s.identity.secret);
  expect((await ask("query_device_logs"))[0]).toMatchObject({ truncated: false });
});

test("images, one argument each, with the original's names", async () => {
  const images = (await ask("get_images")) as Record<string, unknown>[];
  const ours = images.find(({ repoTags }) => (repoTags as string[]).includes(`${s.repository}:1.0.0`));
  expect(Object.keys(ours ?? {})).toEqual([
    ...["created", "containers", "sharedSize", "virtualSize", "id", "labels", "size", "repoTags"],
  ]);
});

test("a pruning takes what nobody needs, and nothing of an app of ours, of a container, or of anybody's data", async () => {
  await makeImage(s.engineSocket, { ref: "unneeded:1", script: "true" });
  await makeImage(s.engineSocket, { ref: `${s.repository}:0.9.0`, script: "true" });
  await makeImage(s.engineSocket, { ref: "needed:1", script: "true" });
  const id = await s.engine.create("holds-needed", { Image: "needed:1" });
  expect(await ask("prune_images", {}), "an empty result").toEqual([null]);
  expect(await s.engine.tagsOf("unneeded")).toEqual(["1"]);
  const [told] = (await ask("prune_images", { all: true })) as [string];
  expect(told).toMatch(/untagged: unneeded:1\n(.*\n)*Total reclaimed space: \S+MB\n$/);
  expect(await s.engine.tagsOf("unneeded")).toEqual([]);
  expect((await s.engine.tagsOf(s.repository)).toSorted()).toEqual(["0.9.0", "1.0.0"]);
  expect([await s.engine.tagsOf("needed"), (await s.engine.container(id))?.Id]).toEqual([["1"], id]);
  await s.engine.remove(id);
  await s.engine.removeImage("needed:1");
  await s.engine.removeImage(`${s.repository}:0.9.0`);
});

test("figures and addresses of the device; no tunnels", async () => {
  expect((await ask("get_storage_data"))[0]).toMatchObject({
    cpu_count: expect.any(Number),
    docker_apps_mounted: false,
  });
  expect(await ask("get_network_metadata")).toContainEqual({ IP: "127.0.0.1", Mask: "/wAAAA==" });
  const [addresses] = (await ask("get_ipv4_addresses")) as [{ interfaceName: string; ip: string }[]];
  expect(addresses.every(({ ip, interfaceName }) => ip !== "127.0.0.1" && !interfaceName.startsWith("docker"))).toBe(
    true,
  );
  expect(await ask("get_tunnel_state")).toEqual([[]]);
});

test.each([
  ["query_app_logs", [], "arguments are missing"],
  ["get_app_log_history", ["x"], "first param should be a dict"],
  ["prune_images", [], "arguments are missing"],
  ["prune_images", [{ all: "yes" }], "the all param should be a boolean"],
  ["query_app_logs", [{ containerName: "a", tail: "3" }], "the tail param should be a non-negative whole number"],
])("%s with %j: %s", async (name, args, sentence) => {
  expect(JSON.stringify(await words(name, ...args))).toContain(JSON.stringify(sentence));
});

test("10,000 questions of any kind: an answer, or the original's error shape; process and link stay", async () => {
  const names = ["query_app_logs", "get_app_log_history", "query_device_logs", "prune_images", "get_app_runs"];
  const key = fc.constantFrom(
    "containerName",
    "tail",
    "offset",
    "since",
    "until",
    "timestamps",
    "level",
    "app_key",
    "all",
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(s.container, "30m", "-2h", "1700000000", true, 3, 5_000, -1, null),
  );
  const args = fc.array(fc.oneof(fc.jsonValue(), fc.dictionary(key, value, { maxKeys: 5 })), { maxLength: 3 });
  const all = fc.sample(fc.tuple(fc.constantFrom(...names), args), 10_000);
  const odd: unknown[] = [];
  const asking = async () => {
    for (let next = all.pop(); next; next = all.pop()) {
      const [name, given] = next;
      await ask(name, ...given).catch(({ uri, args: said }: RequestError) => {
        const [first] = said as { error?: unknown }[];
        if (uri !== "wamp.error.canceled" || typeof first?.error !== "string") odd.push([name, given, uri]);
      });
    }
  };
  await Promise.all(Array.from({ length: 32 }, asking));
  expect(odd.slice(0, 3).map((each) => JSON.stringify(each))).toEqual([]);
  await ask("device_handshake");
  expect(session.isJoined).toBe(true);
  expect(s.happened.filter(goes("connection", /^waiting/))).toEqual([]);
}, 120_000);

test("when the container is gone, the last that was kept is there", async () => {
  await s.see("stopped", hears(s.key, "PRESENT"), () => s.want("PRESENT"), 30_000);
  expect(await logs({ ...plain, tail: 2 })).toMatchObject({
    ...{ lines: ["line 8", "line 9"], source: "history", returned: 2, truncated: true },
  });
});
