import { expect, test } from "vitest";
import { narrate } from "../../src/studio/narrator.ts";
import { type Step, Story } from "../../src/studio/story.ts";

const never = new AbortController().signal;
const step = (says: string, word: string, more: Partial<Step<string>> = {}): Step<string> => ({
  says,
  until: (event) => event === word,
  within: 20,
  ...more,
});

function noteAll(story: Story<string>, words: readonly string[]): void {
  for (const word of words) story.note(word);
}

async function play(steps: readonly Step<string>[], story = new Story<string>(), signal = never) {
  const seen: string[] = [];
  const missing = await story.play(steps, ({ says }) => seen.push(says), signal);
  return { seen, missing: missing?.says };
}

test("every step that was seen is told, in order", async () => {
  const story = new Story<string>();
  const act = async () => noteAll(story, ["a", "x", "b"]);
  expect(await play([step("one", "a", { act }), step("two", "b")], story)).toEqual({
    seen: ["one", "two"],
    missing: undefined,
  });
});

test("what happens later is waited for", async () => {
  const story = new Story<string>();
  const played = play([step("one", "a", { within: 5_000 })], story);
  story.note("x");
  story.note("a");
  expect(await played).toEqual({ seen: ["one"], missing: undefined });
});

test("the first step that is not seen in time ends it, by name", async () => {
  const story = new Story<string>();
  story.note("b");
  expect(await play([step("one", "a"), step("two", "b")], story)).toEqual({ seen: [], missing: "one" });
});

test("an event counts once and not for a step before which it came", async () => {
  const story = new Story<string>();
  const act = async () => noteAll(story, ["b", "a"]);
  const steps = [step("one", "a", { act }), step("two", "b")];
  expect(await play(steps, story)).toEqual({ seen: ["one"], missing: "two" });
  const twice = [step("one", "a", { act }), step("again", "a")];
  expect(await play(twice, story)).toEqual({ seen: ["one"], missing: "again" });
});

test("an event from elsewhere may come before that of the step before it, but not before the last act", async () => {
  const story = new Story<string>();
  story.note("c");
  const act = async () => noteAll(story, ["b", "a"]);
  const steps = [step("one", "a", { act }), step("two", "b", { isBeside: true })];
  expect((await play(steps, story)).missing).toBe(undefined);
  expect((await play([steps[0] as Step<string>, step("three", "c", { isBeside: true })], story)).missing).toBe("three");
});

test("a step that only does something is seen when it is done", async () => {
  const done: string[] = [];
  const act = async () => done.push("done");
  expect(await play([{ says: "one", act, within: 1 }])).toEqual({ seen: ["one"], missing: undefined });
  expect(done).toEqual(["done"]);
});

test("Ctrl-C ends the wait at once", async () => {
  const over = new AbortController();
  const played = play([step("one", "a", { within: 60_000 })], new Story<string>(), over.signal);
  over.abort(new Error("stopped"));
  await expect(played).rejects.toThrow("stopped");
});

test("a line says when, who and what; colours are for terminals only", () => {
  const line = { at: 3_723_004, who: "app:PROD:42", says: "running", tone: "good" } as const;
  expect(narrate(line, false)).toBe("01:02:03.004  app:PROD:42    running");
  expect(narrate({ ...line, tone: "step", says: "the app runs" }, false)).toBe(
    "01:02:03.004  app:PROD:42    * the app runs",
  );
  expect(narrate(line, true)).toContain("\u001b[32m");
});

test("what an app prints cannot move the cursor or flood the screen", () => {
  const said = narrate({ at: 0, who: "app", says: `\u001b[2J\r\n\u009b${"x".repeat(500)}`, tone: "plain" }, false);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(said).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  expect(said.length).toBeLessThan(200);
});
