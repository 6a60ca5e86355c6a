/** Who may raises the agent's priority; who chose one keeps it. That the kernel takes it: test/engine/daemon.test.ts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { goFirst } from "../../src/services/priority.ts";

/** As Node 24 says it: the code of the system is in the words alone. */
const DENIED = "A system error occurred: uv_os_setpriority returned EACCES (permission denied)";

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), "rg-"));
  return () => rmSync(proc, { recursive: true });
});

/** @param session of the process with the number 7, whose name is as bad as names get */
function start({ nice = 0, session = 7, isAllowed = true, hasGroups = true } = {}) {
  writeFileSync(join(proc, "stat"), `7 (a) 1 2 b) S 1 9 ${session} 0 -1`);
  if (hasGroups) writeFileSync(join(proc, "autogroup"), "");
  const told: unknown[] = [];
  let now = nice;
  const priority = {
    getPriority: () => now,
    setPriority: (...args: number[]) => {
      if (!isAllowed) throw Object.assign(new Error(DENIED), { code: "ERR_SYSTEM_ERROR" });
      now = args.at(-1) ?? now;
    },
  };
  goFirst({ info: (fields) => told.push(fields) }, priority, proc);
  return { nice: now, group: hasGroups ? readFileSync(join(proc, "autogroup"), "utf8") : undefined, told };
}

test("a process of its own session goes first, and its session does", () => {
  expect(start()).toEqual({ nice: -5, group: "-5", told: [] });
});

test("started in somebody's session, it goes first in there", () => {
  expect(start({ session: 1 })).toEqual({ nice: -5, group: "", told: [] });
});

test("a kernel without groups of sessions is no problem", () => {
  expect(start({ hasGroups: false })).toEqual({ nice: -5, group: undefined, told: [] });
});

test.each([10, -15])("a priority that somebody chose stays as it is: %d", (nice) => {
  expect(start({ nice })).toEqual({ nice, group: "", told: [] });
});

test("who may not is told, and goes on", () => {
  expect(start({ isAllowed: false })).toEqual({ nice: 0, group: "", told: [{ why: DENIED }] });
});
