/** A few downloads at once, first come, first served. */
import { expect, test } from "vitest";
import { PullQueue } from "../../src/services/pullQueue.ts";
import { settle } from "../support/clock.ts";

function start(most: number) {
  const queue = new PullQueue(most);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const over = Array.from({ length: 6 }, () => new AbortController());
  const pulls = over.map(({ signal }, at) =>
    queue.run(signal, async () => {
      begun.push(at);
      await new Promise<void>((resolve) => ends.push(resolve));
    }),
  );
  for (const pull of pulls) pull.catch(() => {});
  const finish = async () => {
    ends.shift()?.();
    await settle();
  };
  return { begun, over, pulls, finish };
}

test("as many begin as are allowed, the others in their order as those end", async () => {
  const { begun, finish } = start(2);
  await settle();
  expect(begun).toEqual([0, 1]);
  await finish();
  expect(begun).toEqual([0, 1, 2]);
  for (let left = 0; left < 5; left++) await finish();
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
});

test("whoever is called off while he waits leaves the queue at once, and takes nobody's place", async () => {
  const { begun, over, pulls, finish } = start(2);
  over[2]?.abort(new Error("called off"));
  await expect(pulls[2]).rejects.toThrow("called off");
  await finish();
  expect(begun).toEqual([0, 1, 3]);
});

test("a failure frees its place", async () => {
  const queue = new PullQueue(1);
  const never = new AbortController().signal;
  await expect(queue.run(never, () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  expect(await queue.run(never, async () => 7)).toBe(7);
});

test("one that is called off before it is asked never begins", async () => {
  const queue = new PullQueue(1);
  await expect(queue.run(AbortSignal.abort(new Error("off")), async () => 7)).rejects.toThrow("off");
});
