/** Every way the line can fail, at the level of sockets. Each ends in exactly one typed `lost`. */
import { createServer, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { SessionOptions } from "../../src/services/wampSessionOptions.ts";
import type { MiniRouter } from "../../src/studio/router/minirouter.ts";
import { dial as dialUrl, type Line, startRouter, typesOf } from "../support/link.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** Fast clocks, so that silence shows within a second. */
const QUICK = { pingEvery: 100, deadAfter: 300, dialWithin: 400, joinWithin: 600, closeWithin: 100 };
const dial = (url: string, options: Partial<SessionOptions> = {}): Line => {
  const line = dialUrl(url, { ...QUICK, ...options });
  undo.push(() => line.session.close());
  return line;
};
const router = async (): Promise<MiniRouter> => {
  const started = await startRouter();
  undo.push(() => started.close({ goodbye: false }));
  return started;
};
const because = async (line: Line) => (await line.end).because;

/** A TCP server that does with a connection what `serve` says. */
async function tcp(serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  undo.push(
    () => server.close(),
    () => {
      for (const socket of sockets) socket.destroy();
    },
  );
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

type Step = unknown[] | string | Buffer;

/** A peer that answers each WAMP message, by its type, with what the script says; `close` cuts the line. */
async function scripted(script: Record<number, Step[]>): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  undo.push(
    () => server.close(),
    () => {
      for (const ws of server.clients) ws.terminate();
    },
  );
  server.on("connection", (ws) => {
    ws.on("message", (data) => {
      const [type] = JSON.parse(String(data)) as [number];
      for (const step of script[type] ?? []) play(ws, step);
    });
  });
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/`;
}
function play(ws: WebSocket, step: Step): void {
  if (step === "cut") ws.terminate();
  else if (step === "fin") ws.close(1000);
  else ws.send(Array.isArray(step) ? JSON.stringify(step) : step);
}
const CHALLENGE = [4, "wampcra", { challenge: "{}" }];
const WELCOME = [2, 4711, { roles: { broker: {}, dealer: {} }, authmethod: "wampcra" }];

test("refused: nobody listens", async () => {
  const line = dial("ws://127.0.0.1:9/");
  expect(await line.end).toMatchObject({ kind: "socket", because: "ECONNREFUSED" });
  expect(typesOf(line)).toEqual(["lost"]);
});

test.each([
  ["a URL that is none", "not a url"],
  ["another scheme", "ftp://127.0.0.1/"],
])("refused: %s, said as a fact and not thrown", async (_, url) => {
  const line = dial(url);
  expect(typesOf(line)).toEqual([]);
  expect(await line.end).toMatchObject({ kind: "ours", because: "ERR_INVALID_URL" });
  expect(line.facts).toMatchObject([{ type: "lost", ending: "refused" }]);
});

test("refused: a name that does not resolve", async () => {
  expect(await because(dial("ws://router.invalid/"))).toMatch(/ENOTFOUND|EAI_AGAIN|no_answer_dns/);
});

test("refused: a key that does not fit its certificate throws within the dial", async () => {
  const line = dial("wss://127.0.0.1:9/", { dial: () => ({ tls: { key: "nonsense", cert: "nonsense" } }) });
  expect((await line.end).because).toMatch(/^ERR_OSSL/);
});

test("refused: TLS to a port without TLS", async () => {
  const { url } = await router();
  expect(await line(url.replace("ws:", "wss:"))).toMatchObject({ kind: expect.stringMatching(/tls|socket/) });
  function line(wss: string) {
    return dial(wss).end;
  }
});

test("HTTP instead of an upgrade", async () => {
  const mini = await router();
  mini.switches.upgrade = 503;
  expect(await dial(mini.url).end).toMatchObject({ kind: "http", because: "http_503" });
});

test("no WAMP subprotocol", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
  undo.push(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  expect(await because(dial(`ws://127.0.0.1:${port}/`))).toBe("no_wamp_subprotocol");
});

test("accepts and says nothing: the dial deadline", async () => {
  expect(await because(dial(await tcp(() => {})))).toMatch(/^no_answer_(tcp|upgrade)$/);
});

test("trickles header bytes for ever: the dial deadline all the same", async () => {
  const url = await tcp((socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\n");
    const drip = setInterval(() => socket.write("X: y\r\n"), 50);
    socket.on("close", () => clearInterval(drip));
  });
  expect(await because(dial(url))).toMatch(/^no_answer_(tcp|upgrade)$/);
});

test("closes at once, before the upgrade", async () => {
  expect(await because(dial(await tcp((socket) => socket.destroy())))).toBe("ECONNRESET");
});

test("talks nonsense instead of HTTP", async () => {
  expect(await because(dial(await tcp((socket) => socket.end("220 mail ready\r\n"))))).toMatch(/^HPE_/);
});

test("silent after HELLO, but answers pings: the join deadline", async () => {
  const mini = await router();
  mini.switches.mute = () => true;
  expect(await because(dial(mini.url))).toBe("join_deadline");
});

test("silent after AUTHENTICATE", async () => {
  const mini = await router();
  mini.switches.mute = (_, [type]) => type === 2;
  const line = dial(mini.url);
  expect(await because(line)).toBe("join_deadline");
  expect(typesOf(line)).toEqual(["challenged", "lost"]);
});

test("wrong secret, and what Crossbar.io calls it", async () => {
  const mini = await router();
  const wrong = { readSecret: () => "wrong" };
  expect(await dial(mini.url, wrong).end).toMatchObject({ kind: "wamp", because: "wamp.error.authentication_failed" });
  mini.switches.refusal = "wamp.error.not_authorized";
  const line = dial(mini.url, wrong);
  await line.end;
  expect(line.facts.at(-1)).toMatchObject({ ending: "refused", cause: { because: "wamp.error.not_authorized" } });
});

test("wrong realm, unknown user", async () => {
  const mini = await router();
  expect(await because(dial(mini.url, { realm: "nowhere" }))).toBe("wamp.error.no_such_realm");
  expect(await because(dial(mini.url, { authid: "nobody" }))).toBe("wamp.error.authentication_failed");
});

test("the secret can't be read: our own cause; it hangs: the join deadline", async () => {
  const mini = await router();
  const line = dial(mini.url, { readSecret: () => Promise.reject(new Error("no such file")) });
  expect(await line.end).toEqual({ kind: "ours", because: "signer_failed", detail: "no such file" });
  expect(await because(dial(mini.url, { readSecret: () => new Promise(() => {}) }))).toBe("join_deadline");
});

test.each([
  ["WELCOME without a challenge", { 1: [WELCOME] }, "auth_downgrade"],
  ["a method that was not offered", { 1: [[4, "ticket", {}]] }, "auth_method_changed"],
  [
    "another method in WELCOME",
    { 1: [CHALLENGE], 5: [[2, 1, { roles: {}, authmethod: "anonymous" }]] },
    "auth_method_changed",
  ],
  [
    "a challenge that costs too much",
    { 1: [[4, "wampcra", { challenge: "x", salt: "s", iterations: 1e9 }]] },
    "signer_failed",
  ],
  ["a challenge without text", { 1: [[4, "wampcra", {}]] }, "signer_failed"],
  ["WELCOME without roles", { 1: [CHALLENGE], 5: [[2, 1, {}]] }, "protocol_violation"],
  ["garbage before WELCOME", { 1: ["}{"] }, "bad_json"],
  ["garbage after it", { 1: [CHALLENGE], 5: [WELCOME, "\u0000"] }, "bad_json"],
  ["a binary frame", { 1: [Buffer.from("[2]")] }, "protocol_violation"],
  ["no array", { 1: ['{"a":1}'] }, "protocol_violation"],
  ["an unknown message", { 1: [CHALLENGE], 5: [WELCOME, [99, 1]] }, "protocol_violation"],
  ["a malformed INVOCATION", { 1: [CHALLENGE], 5: [WELCOME, [68, 1, 2]] }, "protocol_violation"],
  ["a malformed GOODBYE", { 1: [CHALLENGE], 5: [WELCOME, [6]] }, "protocol_violation"],
  [
    "ABORT after WELCOME",
    { 1: [CHALLENGE], 5: [WELCOME, [3, {}, "wamp.error.protocol_violation"]] },
    "wamp.error.protocol_violation",
  ],
  ["GOODBYE", { 1: [CHALLENGE], 5: [WELCOME, [6, {}, "wamp.close.normal"]] }, "wamp.close.normal"],
  ["cut after HELLO", { 1: ["cut"] }, "closed_1006"],
  ["closed plainly instead of a refusal", { 1: [CHALLENGE], 5: ["fin"] }, "closed_1000"],
  ["cut after CHALLENGE", { 1: [CHALLENGE], 5: ["cut"] }, "closed_1006"],
  ["cut after WELCOME", { 1: [CHALLENGE], 5: [WELCOME, "cut"] }, "closed_1006"],
  ["closed with a Close frame", { 1: ["fin"] }, "closed_1000"],
] as [string, Parameters<typeof scripted>[0], string][])("%s", async (_, script, expected) => {
  const line = dial(await scripted(script));
  expect(await because(line)).toBe(expected);
  expect(typesOf(line).filter((type) => type === "lost")).toHaveLength(1);
  expect(typesOf(line).at(-1)).toBe("lost");
});

test("late and unknown answers are dropped, and the link lives", async () => {
  const late = [
    [50, 77, {}],
    [8, 48, 77, {}, "x"],
    [36, 5, 6, {}],
    [65, 7, 8],
    [67, 0, {}],
    [17, 1, 1],
    [69, 3, {}],
    CHALLENGE,
  ];
  const line = dial(await scripted({ 1: [CHALLENGE, CHALLENGE], 5: [WELCOME, ...late], 48: [[50, 1, {}, ["fine"]]] }));
  const session = await line.joined;
  expect(await session.call("a.b")).toEqual({ args: ["fine"], kwargs: {} });
  expect(line.dropped).toEqual([4, ...late.map(([type]) => type)]);
});

test("more than twice too large a frame costs the link, not the process", async () => {
  const mini = await router();
  const line = dial(mini.url, { maxIncoming: 64 * 1024 });
  await line.joined;
  mini.inject(mini.peer("dev1"), JSON.stringify([36, 1, 1, {}, ["x".repeat(200_000)]]));
  expect(await line.end).toMatchObject({ kind: "protocol", because: "frame_too_big" });
});

test("frozen router: dead after the time without any byte", async () => {
  const mini = await router();
  const line = dial(mini.url);
  const session = await line.joined;
  const call = session.call("wamp.session.count", [], {}, { within: 5_000 });
  mini.freeze();
  const failed = expect(call).rejects.toMatchObject({ code: expect.stringMatching(/link_lost/) });
  expect(await line.end).toMatchObject({ kind: "silence", because: "silent" });
  await failed;
  expect(await because(dial(mini.url))).toMatch(/^no_answer_(tcp|upgrade)$/);
});

test("half-open: the peer is gone and the line says nothing", async () => {
  const mini = await router();
  const line = dial(mini.url);
  await line.joined;
  const peer = mini.peer("dev1");
  peer.ws.pause();
  (peer.ws as unknown as { _socket: Socket })._socket.removeAllListeners("data");
  expect(await because(line)).toBe("silent");
});

test("a quiet but living link stays", async () => {
  const mini = await router();
  const line = dial(mini.url);
  await line.joined;
  let pings = 0;
  mini.peer("dev1").ws.on("ping", () => pings++);
  await expect.poll(() => pings, { timeout: 5_000 }).toBeGreaterThan(12);
  expect(line.session.isJoined).toBe(true);
});

test.each([
  "wamp.close.killed",
  "wamp.close.normal",
  "wamp.error.not_authorized",
  "wamp.error.no_such_realm",
  "wamp.error.procedure_already_exists",
])("a GOODBYE that we did not begin is a loss, also when it says %s, and that is shown", async (reason) => {
  const mini = await router();
  const line = dial(mini.url);
  await line.joined;
  mini.peer("dev1").kill(reason);
  await line.end;
  expect(line.facts.at(-1)).toMatchObject({ ending: "lost", cause: { kind: "goodbye", because: reason } });
});

test("closed by us in each step: one fact, nothing after it", async () => {
  const mini = await router();
  for (const pause of [0, 1, 2, 4, 8, 16, 32, 200]) {
    const line = dial(mini.url);
    await turns(pause);
    line.session.close();
    line.session.close();
    expect(await because(line)).toBe("closed_here");
    await line.session.closed;
    const before = line.facts.length;
    await turns(50);
    expect(line.facts).toHaveLength(before);
  }
});

test("leave: GOODBYE first, the testament fires, a deaf router is given its deadline", async () => {
  const mini = await router();
  const line = dial(mini.url);
  const session = await line.joined;
  await session.leave();
  expect(await line.end).toMatchObject({ because: "left" });
  const deaf = dial(mini.url);
  await (await deaf.joined).call("wamp.session.count");
  mini.switches.mute = () => true;
  const begun = performance.now();
  await deaf.session.leave(200);
  expect(performance.now() - begun, "sooner than without a deadline of its own").toBeLessThan(3_000);
  expect(await deaf.end).toMatchObject({ because: "left" });
});

/** Lets the event loop turn so many times. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((done) => setImmediate(done));
}
