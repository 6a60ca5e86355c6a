/** What the log and the status know of links. */
import { expect, test } from "vitest";
import { LinkLog } from "../../src/services/linkLog.ts";
import type { Log } from "../../src/services/log.ts";
import { cause } from "../../src/services/wampCauses.ts";

function make() {
  const told: string[] = [];
  const log = Object.fromEntries(
    ["debug", "info", "warn", "error"].map((level) => [
      level,
      (_: object, words: string) => void (level !== "debug" && told.push(words)),
    ]),
  );
  return { told, linkLog: new LinkLog(log as Log, () => 0) };
}

test("the address is the one that was dialled last; another one is told once", () => {
  const { told, linkLog } = make();
  expect(linkLog.url).toBeUndefined();
  for (const url of ["ws://one/", "ws://one/", "ws://two/", "ws://two/"]) linkLog.dials(url);
  expect(told).toEqual(["the router's address is another now"]);
  expect(linkLog.url).toBe("ws://two/");
});

test("an end that repeats itself is told once, and again when it is another", () => {
  const { told, linkLog } = make();
  const refused = cause("socket", "ECONNREFUSED", "127.0.0.1:1");
  for (const end of [refused, refused, cause("socket", "ECONNREFUSED", "127.0.0.1:2")]) linkLog.ended(end);
  expect(told).toEqual(Array(2).fill("the link ended: nothing listens at the router's address"));
  expect(linkLog.wordsOf("ECONNREFUSED")).toMatchObject({ detail: "127.0.0.1:2" });
  expect(linkLog.wordsOf("silent")).not.toHaveProperty("detail");
});
