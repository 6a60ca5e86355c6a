/** The control socket, asked by friends and by others. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { Secret } from "../../src/model/secret.ts";
import { ask } from "../../src/services/controlClient.ts";
import { startControl } from "../../src/services/controlServer.ts";

let folder: string;
let path: string;
const open: { close(): Promise<void> }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rgctl-"));
  path = join(folder, "home", "x.sock");
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(more: Partial<Parameters<typeof startControl>[0]> = {}) {
  const handlers = {
    echo: (params: unknown) => params,
    nothing: () => undefined,
    refuse: () => {
      throw new AgentError("storage_failed", "disk full");
    },
    break: () => {
      throw new TypeError("a bug");
    },
    secret: () => ({ secret: new Secret("planted") }),
  };
  open.push(await startControl({ path, handlers, ...more }));
}

/** What comes back for raw bytes, until the other side ends it. */
function raw(...pieces: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      /EPIPE|ECONNRESET/.test(error.code ?? "") ? undefined : reject(error),
    );
    socket.on("close", () => resolve(text));
    for (const piece of pieces) socket.write(piece);
  });
}
const errorOf = (promise: Promise<unknown>) =>
  promise.catch((error: unknown) => error as AgentError) as Promise<AgentError>;

test("asked and answered; folder and socket are for their owner alone", async () => {
  await serve();
  expect(await ask(path, "echo", { a: [1, "x"] })).toEqual({ a: [1, "x"] });
  expect(await ask(path, "nothing")).toBe(null);
  const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);
  expect([mode(join(folder, "home")), mode(path)]).toEqual(["700", "600"]);
});

test("what a handler throws comes back by its code; a defect as internal", async () => {
  await serve();
  expect((await errorOf(ask(path, "refuse"))).code).toBe("storage_failed");
  expect((await errorOf(ask(path, "break"))).code).toBe("internal");
});

test("a name that nobody answers to is refused, also one that every object has", async () => {
  await serve();
  for (const name of ["nobody", "constructor", "__proto__", "toString"]) {
    const reply = JSON.parse(await raw(`${JSON.stringify({ ask: name })}\n`)) as {
      ok: boolean;
      error: { says: string };
    };
    expect(reply).toMatchObject({
      ok: false,
      error: { code: "bad_request", says: `nobody answers to "${name}" here` },
    });
  }
});

test.each(["{", "null", "[]", '"status"', "{}", '{"ask":7}', "\u0000"])(
  "%j is no request, and is told so",
  async (text) => {
    await serve();
    expect(JSON.parse(await raw(`${text}\n`))).toMatchObject({ ok: false, error: { code: "bad_request" } });
  },
);

test("a request that is too long is refused before it is whole", async () => {
  await serve();
  const answer = await raw(Buffer.alloc(200 * 1_024, "x"));
  expect(JSON.parse(answer)).toMatchObject({ ok: false, error: { says: "a request has at most 65536 bytes" } });
});

test("who says half a line and then nothing is cut off; others are served meanwhile", async () => {
  await serve({ idleWithin: 50 });
  const slow = raw('{"ask":');
  expect(await ask(path, "echo", 1)).toBe(1);
  expect(await slow).toBe("");
});

test("a line in pieces is a line", async () => {
  await serve();
  expect(JSON.parse(await raw('{"ask":"ec', 'ho","params":5}', "\n"))).toEqual({ ok: true, result: 5 });
});

test("a crowd does not keep anybody out for good", async () => {
  await serve({ idleWithin: 100 });
  const crowd = Array.from({ length: 40 }, () => raw("x"));
  await Promise.all(crowd);
  expect(await ask(path, "echo", 1)).toBe(1);
});

test("a secret never comes out", async () => {
  await serve();
  expect(await raw('{"ask":"secret"}\n')).not.toContain("planted");
});

test("a socket that a dead process left is replaced", async () => {
  await serve();
  await open.splice(0)[0]?.close();
  writeFileSync(path, "");
  await serve();
  expect(await ask(path, "echo", 1)).toBe(1);
});

test("nobody there, nobody in time, nonsense: each is one clear error", async () => {
  expect((await errorOf(ask(path, "status"))).message).toMatch(/no agent answers on the control socket: .*ENOENT/);
  await serve();
  await open.splice(0)[0]?.close();
  const silent = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => silent.listen(path, resolve));
  open.push({ close: () => new Promise((resolve) => silent.close(() => resolve())) });
  const late = await errorOf(ask(path, "status", undefined, { within: 30 }));
  expect([late.code, late.message]).toEqual(["agent_not_running", expect.stringContaining("no answer within 30 ms")]);
});

test("an answer that is none is a defect of the other side", async () => {
  const odd = createServer((socket) => socket.resume().end("hello\n"));
  await serve();
  await open.splice(0)[0]?.close();
  await new Promise<void>((resolve) => odd.listen(path, resolve));
  open.push({ close: () => new Promise((resolve) => odd.close(() => resolve())) });
  expect((await errorOf(ask(path, "status"))).code).toBe("internal");
});

test("a path that a socket has no room for is told, on both sides", async () => {
  path = join(folder, "x".repeat(120));
  expect((await errorOf(serve())).code).toBe("bad_settings");
  expect((await errorOf(ask(path, "status"))).code).toBe("bad_settings");
});
