/** The agent's own log: lines of JSON that a person can search, and no secret in them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

/** Runs a few lines that log, as a process of its own, since the log goes to standard output. */
async function logged(options: object, body: string, output: "pipe" | number = "pipe") {
  const at = (path: string) => JSON.stringify(resolve(path));
  const script = `const { createLog } = await import(${at("src/services/log.ts")});
    const { AgentError } = await import(${at("src/model/errors.ts")});
    const { Secret } = await import(${at("src/model/secret.ts")});
    const log = createLog(${JSON.stringify(options)});
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", output, "inherit"],
  });
  let text = "";
  child.stdout?.on("data", (chunk) => {
    text += String(chunk);
  });
  const [code] = await once(child, "close");
  return {
    code,
    text,
    lines: text
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test("one line of JSON each, with time and level; what is below the level is not there", async () => {
  const { lines } = await logged(
    { level: "info" },
    'log.debug({}, "no"); log.info({ app: "PROD:42" }, "yes"); log.warn({}, "and this");',
  );
  expect(lines).toMatchObject([
    { level: 30, app: "PROD:42", msg: "yes" },
    { level: 40, msg: "and this" },
  ]);
  expect(lines[0]?.["time"]).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test("an error shows its code, its sentence and its cause; a stack only where it is a defect", async () => {
  const { lines } = await logged(
    { level: "info" },
    `log.warn({ error: new AgentError("engine_timeout", "10 ms", { cause: new Error("socket hang up") }) }, "x");
     log.error({ error: new TypeError("a bug") }, "y");`,
  );
  expect(lines[0]?.["error"]).toEqual({
    code: "engine_timeout",
    says: "the Docker engine did not answer in time: 10 ms",
    cause: "socket hang up",
  });
  expect(lines[1]?.["error"]).toMatchObject({
    type: "TypeError",
    message: "a bug",
    stack: expect.stringContaining("at "),
  });
});

test("a planted secret is in no line, however deep it sits", async () => {
  const { text, lines } = await logged(
    { level: "debug" },
    `const secret = new Secret("planted-secret");
     log.info({ secret, deep: { list: [{ secret }] } }, String(secret));
     log.warn({ error: new AgentError("router_refused", \`\${secret}\`, { cause: new Error(\`with \${secret}\`) }) }, "x");`,
  );
  expect(lines).toHaveLength(2);
  expect(text).not.toContain("planted-secret");
  expect(text).toContain("[secret]");
});

test("a log file gets the same lines and is for its owner alone; the last line before a crash is in it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rglog-"));
  const file = join(folder, "reagent.log");
  const { text } = await logged(
    { level: "info", file },
    'log.info({}, "last words"); process.kill(process.pid, "SIGKILL");',
  );
  expect(readFileSync(file, "utf8")).toBe(text);
  expect(text).toContain("last words");
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  rmSync(folder, { recursive: true, force: true });
});

test("an output that takes nothing, a closed terminal or a full disk, costs nothing but what it would have shown", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rglog-"));
  const file = join(folder, "reagent.log");
  const full = openSync("/dev/full", "w");
  const { code } = await logged(
    { level: "info", file },
    `const line = "x".repeat(1_000);
     const before = process.memoryUsage().rss;
     for (let n = 0; n < 50_000; n++) log.info({ n }, line);
     process.exit(process.memoryUsage().rss - before < 40 << 20 ? 0 : 7);`,
    full,
  );
  closeSync(full);
  expect(code).toBe(0);
  expect(JSON.parse(readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "")).toMatchObject({ n: 49_999 });
  rmSync(folder, { recursive: true, force: true });
});

test("an output that nobody reads holds nobody up; what fits waits, and is shown when it is read again", async () => {
  const log = JSON.stringify(resolve("src/services/log.ts"));
  const script = `process.stdout.isTTY;
    const log = (await import(${log})).createLog({ level: "info" });
    for (let n = 0; n < 3_000; n++) log.info({ n }, "x".repeat(1_000));
    setInterval(() => log.info({}, "again".padEnd(2_000)), 20);
    process.stderr.write("goes on");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  await once(child.stderr, "data");
  const numbers: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { n, msg } = JSON.parse(line) as { n?: number; msg: string };
    if (msg.startsWith("again")) break;
    numbers.push(n);
  }
  child.kill();
  expect(numbers.length).toBeGreaterThan(1_000);
  expect(numbers).toEqual(numbers.map((_, n) => n));
});
