import { createServer } from "node:net";
import { expect, test } from "vitest";
import type { AppId } from "../../src/model/app.ts";
import type { AppOrder } from "../../src/model/order.ts";
import { type HostPorts, PortRules } from "../../src/model/portRule.ts";
import { HostPortPool, takenPortIn } from "../../src/services/hostPorts.ts";

const orderOf = (key: number, rules: unknown, stage: "DEV" | "PROD" = "PROD"): AppOrder => ({
  ...{ app: { stage, key }, name: "weather", target: "RUNNING", version: "1.0.0" },
  ...{ releaseKey: 0, requestor: 0, owner: 0, ports: PortRules.parse(rules) },
});

function pool(busy: readonly number[] = []) {
  const all = new Map<number, HostPorts>();
  const store = {
    portsOf: ({ key }: AppId) => all.get(key) ?? {},
    keepPorts: ({ key }: AppId, ports: HostPorts) => void all.set(key, ports),
    takenPorts: () =>
      new Set([...all.values()].flatMap((ports) => Object.values(ports)).filter((port) => port !== undefined)),
  };
  return { all, ports: new HostPortPool(store, async (port) => !busy.includes(port)) };
}

test("the first free ones of the pool, each for one app; kept from then on", async () => {
  const { ports } = pool([40_001]);
  const [one, other] = await Promise.all([
    ports.assign(orderOf(1, [{ port: 80 }, { port: 53, protocol: "udp" }])),
    ports.assign(orderOf(2, [{ port: 80 }])),
  ]);
  expect(one).toEqual({ "80/tcp": 40_000, "53/udp": 40_002 });
  expect(other).toEqual({ "80/tcp": 40_003 });
  expect(await ports.assign(orderOf(1, [{ port: 80 }]), { "80/tcp": 41_000 })).toEqual({ "80/tcp": 40_000 });
});

test("what a container has goes before what the back end wishes, and that before the pool; never what another app has", async () => {
  const { ports } = pool();
  expect(await ports.assign(orderOf(1, [{ port: 80, host_port: 40_009 }]), { "80/tcp": 8_080 })).toEqual({
    "80/tcp": 8_080,
  });
  expect(await ports.assign(orderOf(2, [{ port: 80, host_port: 40_009 }]))).toEqual({ "80/tcp": 40_009 });
  expect(await ports.assign(orderOf(3, [{ port: 80, host_port: 40_009 }]))).toEqual({ "80/tcp": 40_000 });
});

test("of a development app it is the declared one, as long as nobody else has it", async () => {
  const { ports } = pool([81]);
  expect(await ports.assign(orderOf(1, [{ port: 80 }, { port: 81 }], "DEV"))).toEqual({
    "80/tcp": 80,
    "81/tcp": 40_000,
  });
  expect(await ports.assign(orderOf(2, [{ port: 80 }], "DEV"))).toEqual({ "80/tcp": 40_001 });
});

test("a hundred apps at once get a hundred ports", async () => {
  const { ports } = pool();
  const all = await Promise.all(Array.from({ length: 100 }, (_, n) => ports.assign(orderOf(n + 1, [{ port: 80 }]))));
  expect(new Set(all.map((each) => each["80/tcp"])).size).toBe(100);
});

test("one that somebody else took is exchanged, the others stay", async () => {
  const { ports } = pool([40_000]);
  const order = orderOf(1, [{ port: 80, host_port: 40_005 }, { port: 81 }]);
  await ports.assign(order);
  expect(await ports.replace(order, 40_005)).toEqual({ "80/tcp": 40_002, "81/tcp": 40_001 });
});

test("a pool that is used up is told", async () => {
  const { ports } = pool(Array.from({ length: 10_000 }, (_, n) => 40_000 + n));
  await expect(ports.assign(orderOf(1, [{ port: 80 }]))).rejects.toMatchObject({ code: "bad_configuration" });
});

test("a port that a program of the device has is seen", async () => {
  const all = new Map<number, HostPorts>();
  const store = { portsOf: () => ({}), keepPorts: () => {}, takenPorts: () => new Set<number>() };
  const real = new HostPortPool(store);
  const first = (await real.assign(orderOf(1, [{ port: 80 }])))["80/tcp"] ?? 0;
  const server = createServer().listen(first, "0.0.0.0");
  await new Promise((resolve) => server.once("listening", resolve));
  expect((await real.assign(orderOf(1, [{ port: 80 }])))["80/tcp"]).toBeGreaterThan(first);
  server.close();
  expect(all.size).toBe(0);
});

test.each([
  [
    "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:40001 failed: port is already allocated",
    40_001,
  ],
  ["Error starting userland proxy: listen tcp4 0.0.0.0:40002: bind: address already in use", 40_002],
  ["no such image: apps/weather:1.0.0", undefined],
])("%s", (words, port) => {
  expect(takenPortIn(words)).toBe(port);
});
