/** A session keeps nothing of calls that are over. */
import { expect, test, vi } from "vitest";
import { autobahn } from "../../src/services/autobahnQuiet.ts";
import { dial, startRouter } from "../support/link.ts";

test("16,000 calls leave no request open; 2,000 given-up ones neither", async () => {
  const { Session: Inner } = autobahn as unknown as {
    Session: { prototype: { call: (...args: unknown[]) => unknown } };
  };
  const spy = vi.spyOn(Inner.prototype, "call");
  const router = await startRouter();
  const callee = await dial(router.url).joined;
  const options = { authid: "dev2", readSecret: () => "s3cret2", cancelGrace: 0 };
  const caller = await dial(router.url, options).joined;
  await callee.register("a.echo", (args) => args[0]);
  await callee.register("a.never", () => new Promise(() => {}));
  for (let round = 0; round < 500; round++) {
    await Promise.all(Array.from({ length: 32 }, (_, n) => caller.call("a.echo", [n])));
  }
  await Promise.allSettled(Array.from({ length: 2_000 }, () => caller.call("a.never", [], {}, { within: 20 })));
  expect(await caller.call("a.echo", ["fine"])).toMatchObject({ args: ["fine"] });
  const [inner] = spy.mock.contexts as unknown as { _call_reqs: object }[];
  expect(spy).toHaveBeenCalledTimes(18_001);
  expect(inner?._call_reqs).toEqual({});
  for (const session of [callee, caller]) session.close();
  await router.close({ goodbye: false });
});
