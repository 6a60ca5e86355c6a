/** When what the agent says is told, beside what a container prints. */
import { expect, test } from "vitest";
import type { AgentWord, ShownLine } from "../../src/model/logLine.ts";
import { WordTeller } from "../../src/services/wordTeller.ts";

const word = (text: string, isLast = false): AgentWord => ({ stamp: "2026-01-02T03:04:05.000000000Z", text, isLast });

function stage(said: readonly AgentWord[]) {
  const told: string[] = [];
  const over = Promise.withResolvers<void>();
  let words = said;
  const send = async (lines: readonly ShownLine[]) => void told.push(...lines.map(({ text }) => text));
  const teller = new WordTeller({ words: () => words, said, send, printed: () => over.promise });
  const say = async (...more: AgentWord[]) => {
    words = [...words, ...more];
    teller.tell();
    await new Promise(setImmediate);
    return told.splice(0);
  };
  const forget = (count: number) => {
    words = words.slice(count);
  };
  return { say, forget, over, told };
}

test("what was told before is not told again", async () => {
  const { say } = stage([word("old")]);
  expect(await say()).toEqual([]);
  expect(await say(word("new"))).toEqual(["new"]);
  expect(await say()).toEqual([]);
});

test("a word about an end waits for the output, and all later ones behind it", async () => {
  const { say, over, told } = stage([]);
  expect(await say(word("stop is asked"), word("exited", true))).toEqual(["stop is asked"]);
  expect(await say(word("starting"))).toEqual([]);
  over.resolve();
  await expect.poll(() => told).toEqual(["exited", "starting"]);
});

test("an output that cannot be read keeps no word back", async () => {
  const { say, over, told } = stage([]);
  expect(await say(word("exited", true))).toEqual([]);
  over.reject(new Error("engine_unreachable"));
  await expect.poll(() => told).toEqual(["exited"]);
});

test("words that are forgotten meanwhile are not waited for", async () => {
  const { say, forget } = stage([word("a"), word("b")]);
  forget(2);
  expect(await say(word("c"), word("d"))).toEqual(["c", "d"]);
});
