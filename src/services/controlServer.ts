/**
 * The control socket: how somebody on the device talks to a process of ours. In a folder that is the owner's alone, for the
 * owner alone. A client that is slow, silent or hostile is cut off and hurts nobody.
 */
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { dirname } from "node:path";
import { AgentError } from "../model/errors.ts";
import { LONGEST_PATH, LONGEST_REQUEST, type Reply, type Request } from "./controlLine.ts";

export interface ControlOptions {
  readonly path: string;
  /** By name of the request. What is thrown becomes the answer. */
  readonly handlers: Readonly<Record<string, (params: unknown) => unknown>>;
  /** What answers in parts, as long as the client stays: each is taken before the next one is sent. */
  readonly streams?: Readonly<Record<string, Stream>> | undefined;
  /** ms that a client has for its request, and for taking the answer. Default is 10,000. */
  readonly idleWithin?: number;
}

type Stream = (params: unknown, send: (part: unknown) => Promise<void>, signal: AbortSignal) => Promise<void>;

const MOST_CLIENTS = 16;

/** A socket that nobody listens on any more is replaced: that only one process does is what the lock is for. */
export async function startControl(options: ControlOptions): Promise<{ close(): Promise<void> }> {
  const { path, idleWithin = 10_000 } = options;
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new AgentError("bad_settings", `the control socket's path has more than ${LONGEST_PATH} bytes: ${path}`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  rmSync(path, { force: true });
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.setTimeout(idleWithin, () => client.destroy());
    client.on("error", () => client.destroy()).on("close", () => clients.delete(client));
    serve(client, options);
  });
  server.maxConnections = MOST_CLIENTS;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}

/** One request a connection. */
function serve(client: Socket, options: ControlOptions): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const answer = (reply: Reply) => {
    client.removeAllListeners("data");
    client.end(`${JSON.stringify(reply)}\n`);
  };
  client.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > LONGEST_REQUEST) return answer(refusal("bad_request", `a request has at most ${LONGEST_REQUEST} bytes`));
    chunks.push(chunk);
    if (!chunk.includes(10)) return;
    const [line = ""] = Buffer.concat(chunks).toString().split("\n");
    client.removeAllListeners("data").resume();
    reply(line, client, options).then(answer, (error: unknown) => answer(refusalOf(error)));
  });
}

async function reply(line: string, client: Socket, { handlers, streams = {} }: ControlOptions): Promise<Reply> {
  const request = parsed(line);
  if (!request) return refusal("bad_request", 'a request is one line of JSON: {"ask":"status"}');
  const { ask, params } = request;
  const stream = Object.hasOwn(streams, ask) ? streams[ask] : undefined;
  if (stream) await inParts(client, (send, signal) => stream(params, send, signal));
  const handler = Object.hasOwn(handlers, ask) ? handlers[ask] : undefined;
  if (!handler && !stream) return refusal("bad_request", `nobody answers to "${ask.slice(0, 40)}" here`);
  return { ok: true, result: (await handler?.(params)) ?? null };
}

/** A client that is quiet may stay as long as it wants; one that takes nothing holds up its own parts alone. */
async function inParts(
  client: Socket,
  run: (send: (part: unknown) => Promise<void>, signal: AbortSignal) => Promise<void>,
) {
  const gone = new AbortController();
  client.setTimeout(0);
  client.once("close", () => gone.abort());
  const send = async (part: unknown) => {
    if (gone.signal.aborted || client.write(`${JSON.stringify({ ok: true, part })}\n`)) return;
    await once(client, "drain", { signal: gone.signal }).catch(() => {});
  };
  await run(send, gone.signal);
}

function parsed(line: string): Request | undefined {
  try {
    const value = JSON.parse(line) as Partial<Request> | null;
    return typeof value?.ask === "string" ? { ask: value.ask, params: value.params } : undefined;
  } catch {
    return undefined;
  }
}

const refusal = (code: string, says: string): Reply => ({ ok: false, error: { code, says } });

function refusalOf(thrown: unknown): Reply {
  const error = AgentError.from(thrown);
  return refusal(error.code, error.detail);
}
