/** A thousand links, each ended in another way, leave nothing behind. */
import { expect, test } from "vitest";
import type { Session } from "../../src/services/wampSession.ts";
import { dial, startRouter } from "../support/link.ts";

const handles = () =>
  process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Connect|Immediate/.test(kind)).length;
/** Waits until what is open is what was open before; without timers of its own, which would count. */
const settledHandles = async (wanted = Infinity) => {
  for (let turn = 0; turn < 20_000 && handles() > wanted; turn++) await new Promise<void>((done) => setImmediate(done));
  return handles();
};
const heapNow = () => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

test("1,000 connect and cut cycles: no handle, flat memory, no unhandled rejection", { timeout: 120_000 }, async () => {
  const rejections: unknown[] = [];
  process.on("unhandledRejection", (error) => rejections.push(error));
  const router = await startRouter();
  const ways: ((session: Session) => unknown)[] = [
    (session) => session.close(),
    (session) => session.leave(),
    () => router.cutAll(),
    () => router.peer("dev1").kill(),
    () => router.inject(router.peer("dev1"), "}{"),
  ];
  const cycle = async (n: number) => {
    const { joined, session } = dial(router.url);
    await joined;
    await session.register("dev.dev1.a", () => new Promise(() => {}));
    await session.subscribe("t.x", () => {});
    session.call("dev.dev1.a").catch(() => {});
    session.publish("logs.x", ["x".repeat(1_000)]);
    ways[n % ways.length]?.(session);
    await session.closed;
  };
  for (let n = 0; n < 200; n++) await cycle(n);
  await expect.poll(() => router.peers.length).toBe(0);
  const [before, heap] = [await settledHandles(), heapNow()];
  for (let n = 0; n < 1_000; n++) await cycle(n);
  await expect.poll(() => router.peers.length).toBe(0);
  expect(await settledHandles(before)).toBeLessThanOrEqual(before);
  const grown = heapNow() - heap;
  expect(grown).toBeLessThan(2);
  expect(rejections).toEqual([]);
  await router.close();
});

test("500 links cut at a random moment of the dial: each one lost, nothing left", { timeout: 60_000 }, async () => {
  const router = await startRouter();
  const before = await settledHandles();
  for (let n = 0; n < 500; n++) {
    const line = dial(router.url);
    setTimeout(() => (n % 2 ? line.session.close() : router.cutAll()), Math.random() * 6);
    if (n % 2 === 0) setTimeout(() => line.session.close(), 8);
    await line.session.closed;
    expect(line.facts.filter(({ type }) => type === "lost")).toHaveLength(1);
    expect(line.facts.at(-1)?.type).toBe("lost");
  }
  expect(await settledHandles(before)).toBeLessThanOrEqual(before);
  await router.close();
});
