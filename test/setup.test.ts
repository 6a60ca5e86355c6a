/** What the set-up decides before it does anything, and how it says so. The real one runs in CI, on a fresh clone. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, onTestFinished, test } from "vitest";
import { howToGet, isDebianLike, packagesOf, wayToInstall } from "../scripts/apt.mjs";
import { countsOf } from "../scripts/count.mjs";
import { answers, socketOf } from "../scripts/engine.mjs";
import { isInstalled, isStaticallyLinked, missingPrograms, PROGRAMS } from "../scripts/programs.mjs";
import { whyNotHere, whyNotThisNode } from "../scripts/requirements.mjs";
import { whyStale } from "../scripts/staleness.mjs";

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "rg-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
};

describe("the packages", () => {
  const ws = { version: "8.23.0", integrity: "sha512-w" };
  const mac = { version: "2.6.8", integrity: "sha512-m", optional: true };
  const locked = { packages: { "": {}, "node_modules/ws": ws, "node_modules/@biomejs/cli-darwin-arm64": mac } };
  const installed = { packages: { "node_modules/ws": ws } };
  const yes = () => true;

  test("are left alone when npm's list says what the lock file says, but for optional ones that are for other machines", () => {
    expect(whyStale(locked, installed, yes)).toBeUndefined();
  });

  test("are left alone when an optional one is there that the lock file does not know", () => {
    const packages = { "node_modules/ws": ws, "node_modules/fsevents": { version: "2.3.3", optional: true } };
    expect(whyStale(locked, { packages }, yes)).toBeUndefined();
  });

  test.each([
    ["there is no list", undefined, "node_modules is missing"],
    ["one is missing", {}, "ws is missing"],
    ["one is another version", { ws: { ...ws, version: "8.22.0" } }, "ws is 8.22.0, package-lock.json says 8.23.0"],
    ["one has another content", { ws: { ...ws, integrity: "sha512-x" } }, "ws is not the one of package-lock.json"],
    ["one is there that nobody asked for", { ws, when: { version: "3.7.8" } }, "when is not in package-lock.json"],
    [
      "an optional one is another version",
      { ws, "@biomejs/cli-darwin-arm64": { ...mac, version: "2.6.7" } },
      "@biomejs/cli-darwin-arm64 is 2.6.7, package-lock.json says 2.6.8",
    ],
  ])("are installed when %s", (_, found, why) => {
    const packages = Object.fromEntries(
      Object.entries<object>(found ?? {}).map(([name, each]) => [`node_modules/${name}`, each]),
    );
    expect(whyStale(locked, found && { packages }, yes)).toBe(why);
  });

  test.each(["node_modules/ws", "node_modules/.bin/node"])("are installed when %s was taken away", (path) => {
    expect(whyStale(locked, installed, (asked) => asked !== path)).toBe(`${path} is gone`);
  });

  test("of this tree are as the lock file says", () => {
    const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));
    expect(whyStale(read("package-lock.json"), read("node_modules/.package-lock.json"), yes)).toBeUndefined();
  });
});

describe("the programs", () => {
  const namesOf = (missing: typeof PROGRAMS) => missing.map(({ name }) => name);
  const none = () => false;

  test("are all needed by the tests, which start an engine of their own even beside another one", () => {
    expect(missingPrograms({ purpose: "test", hasEngine: true }, none)).toEqual(PROGRAMS);
  });

  test("of an engine are not needed by a start where one answers", () => {
    const missing = missingPrograms({ purpose: "start", hasEngine: true }, none);
    expect(namesOf(missing)).toEqual(["docker-registry", "/bin/busybox", "flock"]);
    expect(namesOf(missingPrograms({ purpose: "start", hasEngine: false }, none))).toEqual(
      namesOf(PROGRAMS.filter(({ ofTests }) => !ofTests)),
    );
  });

  test("that are there are not asked for", () => {
    const missing = missingPrograms({ purpose: "test", hasEngine: false }, ({ name }) => name !== "dockerd");
    expect(namesOf(missing)).toEqual(["dockerd"]);
  });

  test("are looked for on the path, by their own path, and by how they are linked", () => {
    const program = { package: "any", use: "any" };
    expect(isInstalled({ ...program, name: "sh" })).toBe(true);
    expect(isInstalled({ ...program, name: "no-such-program" })).toBe(false);
    expect(isInstalled({ ...program, name: "/bin/sh" })).toBe(true);
    expect(isInstalled({ ...program, name: process.execPath, isStatic: true })).toBe(false);
  });

  test.each([4, 8])("are static when no part of them names a dynamic linker, with addresses of %i bytes", (size) => {
    const [LOAD, INTERPRETER, STACK] = [1, 3, 0x6474e551];
    expect(isStaticallyLinked(elf(size, [LOAD, STACK]))).toBe(true);
    expect(isStaticallyLinked(elf(size, [LOAD, INTERPRETER]))).toBe(false);
    expect(isStaticallyLinked(elf(size, [LOAD, STACK]).subarray(0, -1)), "cut off").toBe(false);
  });

  test("that are scripts or empty are not static", () => {
    expect(isStaticallyLinked(Buffer.from("#!/bin/sh\n".padEnd(200)))).toBe(false);
    expect(isStaticallyLinked(Buffer.alloc(0))).toBe(false);
  });
});

/** The header and the table of segments of an ELF file, little-endian, with addresses of 4 or 8 bytes. */
function elf(size: number, segments: readonly number[]): Buffer {
  const [table, entry] = size === 8 ? [64, 56] : [52, 32];
  const file = Buffer.alloc(table + entry * segments.length);
  file.write("\x7fELF", "latin1");
  file.writeUInt8(size / 4, 4);
  file.writeUInt32LE(table, size === 8 ? 32 : 28);
  file.writeUInt16LE(entry, size === 8 ? 54 : 42);
  file.writeUInt16LE(segments.length, size === 8 ? 56 : 44);
  for (const [n, type] of segments.entries()) file.writeUInt32LE(type, table + n * entry);
  return file;
}

describe("the way to get what is missing", () => {
  const rights = { isDebian: true, isRoot: false, isTerminal: true, hasSudo: true };
  const missing = PROGRAMS.filter(({ name }) => name === "dockerd" || name === "/bin/busybox");

  test.each([
    ["root just does it", { isRoot: true, isTerminal: false }, "root"],
    ["somebody at a terminal is asked first", {}, "sudo"],
    ["without a terminal nobody can be asked", { isTerminal: false }, undefined],
    ["without sudo the person has to do it", { hasSudo: false }, undefined],
    ["another system has other packages", { isDebian: false, isRoot: true }, undefined],
  ])("%s", (_, given, way) => {
    expect(wayToInstall({ ...rights, ...given })).toBe(way);
  });

  test("is one sentence with the command", () => {
    expect(howToGet(missing, true)).toBe(
      "Missing: dockerd (runs containers), a static /bin/busybox (is what images are made of). Get it by: sudo apt-get install docker.io busybox-static",
    );
    expect(howToGet(missing, false)).toMatch(/in docker\.io busybox-static; install what your system calls them\.$/);
  });

  test("names each package once", () => {
    const [first, second] = PROGRAMS;
    expect(packagesOf([first, second, first].filter((each) => each !== undefined))).toEqual(["docker.io", "iproute2"]);
  });

  test.each([
    ["ID=debian\nVERSION_ID=12", true],
    ["NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian", true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', true],
    ["ID=raspbian\nID_LIKE=debian", true],
    ["ID=fedora\nVARIANT_ID=debian\nHOME_URL=https://example.org/debian", false],
    ['ID="centos"\nID_LIKE="rhel fedora"', false],
  ])("knows Debian's kind by its os-release: %j", (text, isDebian) => {
    expect(isDebianLike(text)).toBe(isDebian);
  });
});

describe("what cannot be installed", () => {
  const place = { purpose: "test", hasEngine: false, isRoot: true, platform: "linux" } as const;

  test("is said about Node in one sentence", () => {
    expect(whyNotThisNode("20.0.0")).toBeUndefined();
    expect(whyNotThisNode("100.1.0")).toBeUndefined();
    expect(whyNotThisNode("18.19.1")).toMatch(/^This is Node 18\.19\.1; Node 20 or newer is needed to begin with/);
  });

  test("is said about the right to start an engine, with what to do instead", () => {
    expect(whyNotHere(place)).toBeUndefined();
    expect(whyNotHere({ ...place, isRoot: false })).toBe(
      "The tests start a Docker engine of their own, and only root may start one: run `sudo npm test`.",
    );
    expect(whyNotHere({ ...place, isRoot: false, purpose: "start" })).toBe(
      "No Docker engine answers here, and only root may start one: run `sudo npm start`, or start Docker first (DOCKER_HOST may name its socket).",
    );
    expect(whyNotHere({ ...place, platform: "darwin" })).toMatch(/on Linux only/);
  });

  test("is no matter where an engine answers and nothing but a start is wanted", () => {
    const start = { ...place, purpose: "start", hasEngine: true, isRoot: false, platform: "darwin" } as const;
    expect(whyNotHere(start)).toBeUndefined();
  });
});

describe("an engine", () => {
  test("is looked for at the usual socket, or where DOCKER_HOST says, if that is a socket", () => {
    expect(socketOf(undefined)).toBe("/var/run/docker.sock");
    expect(socketOf("")).toBe("/var/run/docker.sock");
    expect(socketOf("unix:///run/user/1000/docker.sock")).toBe("/run/user/1000/docker.sock");
    expect(socketOf("tcp://127.0.0.1:2375")).toBeUndefined();
  });

  test("is there if it answers a ping, and only then", async () => {
    const socketPath = join(folder(), "s");
    expect(await answers(undefined)).toBe(false);
    expect(await answers(socketPath)).toBe(false);
    let status = 200;
    const server = createServer((asked, answer) => answer.writeHead(asked.url === "/_ping" ? status : 404).end("OK"));
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    onTestFinished(() => void server.close());
    expect(await answers(socketPath)).toBe(true);
    status = 500;
    expect(await answers(socketPath)).toBe(false);
  });
});

describe("the count at the end of a run", () => {
  const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true };
  const of = (change: Partial<typeof report>, code: number) => countsOf(JSON.stringify({ ...report, ...change }), code);

  test("is what vitest counted", () => {
    expect(of({}, 0)).toEqual({ passed: 7, failed: 0, skipped: 0 });
    expect(of({ numFailedTests: 2, numPendingTests: 1, numTodoTests: 3, success: false }, 1)).toEqual({
      passed: 7,
      failed: 2,
      skipped: 4,
    });
  });

  test("has a failure when something failed that is no test", () => {
    expect(of({}, 1).failed).toBe(1);
    expect(of({ success: false }, 0).failed).toBe(1);
    expect(of({ numPassedTests: 0 }, 0).failed).toBe(1);
  });

  test("has a failure when no test ran, or the report is cut off", () => {
    expect(countsOf("", 2)).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(countsOf('{"numPassedTests":7,"succ', 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

test("the set-up needs no package: it runs before there is any", () => {
  const ofSetup = readdirSync("scripts").filter((name) => name.endsWith(".mjs") && !/^(bundle|build)\.mjs$/.test(name));
  const foreign = ofSetup.flatMap((name) =>
    [...readFileSync(`scripts/${name}`, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)]
      .map(([, to = ""]) => to)
      .filter((to) => !/^(node:|\.\/(?!bundle|build))/.test(to))
      .map((to) => `${name}: ${to}`),
  );
  expect(ofSetup).toContain("setup.mjs");
  expect(foreign).toEqual([]);
});

/** Whatever is left of it. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

test.each(["start", "reagent"])(
  "a SIGTERM to `npm run %s` reaches what it runs: npm hands it on to its own child alone, be it a shell that dies of it",
  async (name) => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    const cwd = folder();
    mkdirSync(join(cwd, "src"));
    writeFileSync(join(cwd, "package.json"), JSON.stringify({ scripts: { [name]: scripts[name] } }));
    const stays =
      'process.once("SIGTERM", () => { console.log("ended"); process.exit(); }); setInterval(() => {}, 1e6);';
    writeFileSync(join(cwd, "src", "cli.ts"), `${stays} console.log("up");`);
    const path = `${dirname(process.execPath)}:${process.env["PATH"]}`;
    const npm = spawn("npm", ["run", "-s", name], { cwd, env: { ...process.env, PATH: path }, detached: true });
    onTestFinished(() => endGroup(npm.pid ?? 0));
    const lines = createInterface({ input: npm.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("up");
    npm.kill("SIGTERM");
    expect((await lines.next()).value).toBe("ended");
  },
);
