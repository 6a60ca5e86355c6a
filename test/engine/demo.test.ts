/** `reagent start` as somebody runs it: the story to its end, and Ctrl-C at any moment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import { bridgeOf } from "../../src/studio/dockerd.ts";

type OnLine = (line: string, count: number) => unknown;

function start(args: readonly string[], onLine: OnLine = () => {}, cwd = mkdtempSync(join(tmpdir(), "rgd-"))) {
  const child = spawn(process.execPath, [resolve("dist/reagent.mjs"), "start", ...args], {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => onLine(line, lines.push(line)));
  const ended = once(child, "close").then(([code]) => code as number | null);
  /** As a terminal does: everybody in the foreground group gets it. */
  const signal = (name: NodeJS.Signals) => process.kill(-(child.pid ?? 0), name);
  return { cwd, lines, ended, signal };
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

/** Crossbar.io takes its folder out of its command line. */
function placeOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

/** Whatever still bears the folder's name: processes, mounts, a bridge, files. */
function leftOf(cwd: string) {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ")} in ${placeOf(pid)}`)
    .filter((words) => words.includes(`${cwd}/`));
  const mounts = read("/proc/self/mounts")
    .split("\n")
    .filter((line) => line.includes(`${cwd}/`));
  const bridge = existsSync(`/sys/class/net/${bridgeOf(join(cwd, ".reagent", "engine"))}`);
  return { processes, mounts, bridge, folder: existsSync(join(cwd, ".reagent")) };
}
const NOTHING = { processes: [], mounts: [], bridge: false, folder: false };

test.concurrent.each(["embedded", "nexus", "crossbar"])(
  "--once on %s: every step of the story is seen, the exit code is 0, and nothing is left",
  async (router) => {
    const { cwd, lines, ended } = start(["--once", "--router", router]);
    const code = await ended;
    expect({ code, tail: code === 0 ? "" : lines.slice(-20).join("\n") }).toEqual({ code: 0, tail: "" });
    const steps = lines.filter((line) => line.includes(" * ")).map((line) => line.replace(/^.* \* /, ""));
    expect(steps.length).toBeGreaterThan(12);
    expect(steps.at(-1)).toBe("nothing of it is left in the engine");
    expect(lines.every((line) => /^\d\d:\d\d:\d\d\.\d{3} {2}/.test(line))).toBe(true);
    expect(leftOf(cwd)).toEqual(NOTHING);
    rmSync(cwd, { recursive: true, force: true });
  },
  90_000,
);

test.concurrent.each([1, 2, 3, 4, 8, 16, 22, 30])(
  "Ctrl-C after line %i: nothing is left",
  async (moment) => {
    const demo = start([], (_, count) => count === moment && demo.signal("SIGINT"));
    const code = await demo.ended;
    expect({ code, tail: code === 0 ? "" : demo.lines.slice(-20).join("\n") }).toEqual({ code: 0, tail: "" });
    expect(leftOf(demo.cwd)).toEqual(NOTHING);
    rmSync(demo.cwd, { recursive: true, force: true });
  },
  60_000,
);

test("a second demo in the same place says who is there, and hurts nobody", async () => {
  const first = start([], (line) => line.includes("its container is made and runs") && second());
  const others: ReturnType<typeof start>[] = [];
  const second = () => {
    const other = start([], () => {}, first.cwd);
    others.push(other);
    other.ended.finally(() => first.signal("SIGINT"));
  };
  expect(await first.ended).toBe(0);
  expect(await others[0]?.ended).toBe(1);
  expect(others[0]?.lines.join()).toMatch(/a demo runs here already, process \d+/);
  expect(leftOf(first.cwd)).toEqual(NOTHING);
  rmSync(first.cwd, { recursive: true, force: true });
}, 60_000);

test("one Ctrl-C in a terminal is one under npm too, which hands it on once more: nothing is left", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "rgd-"));
  const scripts = { start: `exec ${process.execPath} ${resolve("dist/reagent.mjs")} start` };
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ scripts }));
  // `exec`, for a shell in between (dash, say) would die of the Ctrl-C and take the terminal with it.
  const run = ["-qec", "exec npm start", "/dev/null"];
  const terminal = spawn("script", run, { cwd, stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(terminal, "close");
  const lines: string[] = [];
  createInterface({ input: terminal.stdout }).on("line", (line) => {
    lines.push(line);
    if (line.includes("its container is made and runs")) terminal.stdin.write("\x03");
  });
  const [code] = await ended;
  expect({ code, tail: code === 0 ? "" : lines.slice(-20).join("\n") }).toEqual({ code: 0, tail: "" });
  expect(lines.join()).toContain("taking everything away");
  expect(leftOf(cwd)).toEqual(NOTHING);
  rmSync(cwd, { recursive: true, force: true });
}, 60_000);

test("a terminal that is closed takes everything away with it", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "rgd-"));
  const run = ["-qec", `exec ${process.execPath} ${resolve("dist/reagent.mjs")} start`, "/dev/null"];
  // The demo inherits the last pipe, which ends with it: the terminal is gone long before.
  const terminal = spawn("script", run, { cwd, stdio: ["pipe", "pipe", "inherit", "pipe"] });
  const [, shown, , inherited] = terminal.stdio as unknown as Readable[];
  const gone = once(inherited?.resume() as Readable, "close");
  createInterface({ input: shown as Readable }).on("line", (line) => {
    if (line.includes("its container is made and runs")) terminal.kill("SIGKILL");
  });
  await gone;
  expect(leftOf(cwd)).toEqual(NOTHING);
  rmSync(cwd, { recursive: true, force: true });
}, 60_000);

test("a second Ctrl-C ends it at once and says so, and the next start takes away what was left", async () => {
  let presses: NodeJS.Timeout | undefined;
  const onLine = (line: string) => {
    if (line.includes("its container is made and runs")) first.signal("SIGINT");
    // Sooner than by any finger it would count as the same press.
    if (line.includes("taking everything away")) presses = setInterval(() => first.signal("SIGINT"), 20);
  };
  const first = start([], onLine);
  first.ended.finally(() => clearInterval(presses));
  expect(await first.ended).toBe(130);
  expect(first.lines.at(-1)).toBe("reagent: ended at once; what is left of it the next start takes up or takes away");
  expect(leftOf(first.cwd).processes.length).toBeGreaterThan(0);
  const second = start([], (line) => line.includes("proves who it is") && second.signal("SIGINT"), first.cwd);
  expect(await second.ended).toBe(0);
  expect(leftOf(first.cwd)).toEqual(NOTHING);
  rmSync(first.cwd, { recursive: true, force: true });
}, 60_000);

test.concurrent.each(["embedded", "nexus", "crossbar"])(
  "killed with -9 on %s, the next start takes away what was left",
  async (router) => {
    const onLine = (line: string) => line.includes("its container is made and runs") && first.signal("SIGKILL");
    const first = start(["--router", router], onLine);
    expect(await first.ended).toBe(null);
    expect(leftOf(first.cwd)).toMatchObject({ bridge: true, folder: true });
    expect(leftOf(first.cwd).processes.length).toBeGreaterThan(0);
    const second = start([], (line) => line.includes("proves who it is") && second.signal("SIGINT"), first.cwd);
    const code = await second.ended;
    expect({ code, tail: code === 0 ? "" : second.lines.slice(-20).join("\n") }).toEqual({ code: 0, tail: "" });
    expect(leftOf(first.cwd)).toEqual(NOTHING);
    rmSync(first.cwd, { recursive: true, force: true });
  },
  60_000,
);
