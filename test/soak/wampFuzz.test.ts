/** Whatever a router says after a good login, valid or broken: one link may end by it, with a cause; nothing else happens. */
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { dial } from "../support/link.ts";

const MESSAGES = Number(process.env["MESSAGES"] ?? 20_000);
const AT_ONCE = 25;

const id = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.maxSafeInteger(), fc.double(), fc.constant(null), fc.string());
const uri = fc.oneof(fc.constantFrom("dev.dev1.a", "t.x", "wamp.error.canceled", "a..b", ""), fc.string());
const dict = fc.oneof(
  fc.constant({}),
  fc.record(
    { progress: fc.anything(), procedure: uri, topic: uri, caller: id, caller_authid: fc.anything(), mode: uri },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const rest = fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 });
/** Types that a client hears, each with what belongs there, and often with what does not. */
const shaped = fc
  .tuple(
    fc.constantFrom(2, 3, 4, 6, 8, 17, 33, 35, 36, 50, 65, 67, 68, 69, 70),
    fc.array(fc.oneof(id, dict, uri), { maxLength: 4 }),
    rest,
  )
  .map(([type, head, tail]) => JSON.stringify([type, ...head, ...tail]));
const valid = fc.oneof(
  fc.tuple(id, dict, rest).map(([request, details, args]) => JSON.stringify([50, request, details, args])),
  fc.tuple(id, rest).map(([publication, args]) => JSON.stringify([36, 4, publication, {}, args, {}])),
  fc.tuple(id, dict, rest).map(([request, details, args]) => JSON.stringify([68, request, 3, details, args])),
  fc.tuple(id, uri).map(([request, error]) => JSON.stringify([8, 48, request, {}, error])),
  fc.tuple(id, dict).map(([request, options]) => JSON.stringify([69, request, options])),
);
const text = fc.oneof(
  { arbitrary: valid, weight: 6 },
  { arbitrary: shaped, weight: 6 },
  { arbitrary: fc.json(), weight: 1 },
  { arbitrary: fc.string(), weight: 1 },
  { arbitrary: shaped.map((frame) => frame.slice(0, frame.length / 2)), weight: 1 },
);

/** Lets anybody in, answers what a session asks for, and then says these frames. */
async function hostileRouter(frames: string[]) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "wamp.2.json" });
  let said = 0;
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    const say = (message: unknown) => socket.send(JSON.stringify(message));
    const ANSWERS: Record<number, (request: unknown) => unknown> = {
      1: () => [4, "wampcra", { challenge: "{}" }],
      5: () => [
        2,
        77,
        { authmethod: "wampcra", authid: "dev1", authrole: "device", roles: { broker: {}, dealer: {} } },
      ],
      32: (request) => [33, request, 4],
      64: (request) => [65, request, 3],
    };
    socket.on("message", (data) => {
      const [type, request] = JSON.parse(String(data)) as [number, unknown];
      const answer = ANSWERS[type]?.(request);
      if (answer) say(answer);
      if (type !== 64) return;
      for (const frame of frames.slice(said, said + AT_ONCE)) socket.send(frame);
      said += AT_ONCE;
      socket.ping();
    });
  });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    said: () => said,
    close: () => server.close(),
  };
}

const heapNow = () => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

test(`${MESSAGES} messages, valid and broken: no crash, no growth, and each link that ends says why`, {
  timeout: 120_000,
}, async () => {
  const seed = Number(process.env["SEED"] ?? 1);
  const router = await hostileRouter(fc.sample(text, { numRuns: MESSAGES, seed }));
  const causes = new Set<string>();
  const oddities: unknown[] = [];
  let heap = 0;
  while (router.said() < MESSAGES) {
    const from = router.said();
    const line = dial(router.url, { requestWithin: 200 });
    const ended = line.end.then((why) => {
      if (why.because !== "closed_here") causes.add(`${why.kind} ${why.because}`);
    });
    try {
      const session = await line.joined;
      await session.subscribe("t.x", (args, kwargs) => {
        if (!Array.isArray(args) || typeof kwargs !== "object") oddities.push([args, kwargs]);
      });
      const open = session.call("dev.dev1.b").then(
        ({ args, kwargs }) => [args, kwargs],
        (error: unknown) => error,
      );
      await session.register("dev.dev1.a", (args, kwargs) => {
        if (!Array.isArray(args) || typeof kwargs !== "object") oddities.push([args, kwargs]);
        return null;
      });
      await Promise.race([open, ended]);
    } catch {
      // A frame that came with the registration ended it.
    }
    line.session.close();
    await ended;
    oddities.push(...line.problems);
    expect(router.said(), `seed ${seed}, message ${from}`).toBeGreaterThan(from);
    if (heap === 0 && router.said() >= MESSAGES / 4) heap = heapNow();
  }
  router.close();
  expect(oddities).toEqual([]);
  const known =
    /^(protocol (bad_json|protocol_violation|auth_method_changed)|wamp registration_revoked|goodbye \S{1,256})$/;
  expect([...causes].filter((why) => !known.test(why))).toEqual([]);
  expect(causes.size).toBeGreaterThan(3);
  expect(heapNow() - heap).toBeLessThan(3);
});
