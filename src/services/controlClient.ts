/** Asks a process of ours on its control socket. */
import { connect, type Socket } from "node:net";
import { AgentError, ERROR_CODES, type ErrorCode } from "../model/errors.ts";
import { LONGEST_PATH, type Reply } from "./controlLine.ts";
import { codeOf } from "./smallFile.ts";

const LONGEST_ANSWER = 16 << 20;

/**
 * @throws {AgentError} agent_not_running where nobody listens, or nobody answers in time (default 5,000 ms); else what the other side
 * says, by its code.
 */
export async function ask(path: string, name: string, params?: unknown, { within = 5_000 } = {}): Promise<unknown> {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new AgentError("bad_settings", `the control socket's path has more than ${LONGEST_PATH} bytes: ${path}`);
  const text = await exchange(path, `${JSON.stringify({ ask: name, params })}\n`, within);
  const reply = wellAnswered(path, text);
  return "result" in reply ? reply.result : reply.part;
}

/** @throws {AgentError} as for `ask`. */
function wellAnswered(path: string, text: string): Extract<Reply, { ok: true }> {
  const reply = parsed(text);
  if (reply === undefined) throw new AgentError("internal", `${path} answers something that is no answer`);
  if (reply.ok) return reply;
  const { code, says } = reply.error;
  const isKnown = ERROR_CODES.includes(code as ErrorCode);
  throw new AgentError(isKnown ? (code as ErrorCode) : "internal", says);
}

/** What is answered in parts, until there are no more or the signal fires. @throws {AgentError} as for `ask`. */
export async function* listen(
  path: string,
  name: string,
  params: unknown,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  const socket = connect(path);
  const leave = () => socket.destroy();
  signal.addEventListener("abort", leave);
  try {
    socket.write(`${JSON.stringify({ ask: name, params })}\n`);
    for await (const line of linesOf(socket)) {
      const reply = wellAnswered(path, line);
      if ("result" in reply) return;
      yield reply.part;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof AgentError ? error : new AgentError("agent_not_running", `${path}: ${codeOf(error)}`);
  } finally {
    signal.removeEventListener("abort", leave);
    socket.destroy();
  }
  if (!signal.aborted) throw new AgentError("agent_not_running", `${path}: it ended in the middle of its answer`);
}

/** Not by readline, which goes on for ever when its socket is destroyed. */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = "";
  for await (const text of socket.setEncoding("utf8")) {
    const [first = "", ...others] = String(text).split("\n");
    const lines = [rest + first, ...others];
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function exchange(path: string, line: string, within: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (why: string) => {
      socket.destroy();
      reject(new AgentError("agent_not_running", why));
    };
    const timer = setTimeout(() => fail(`${path}: no answer within ${within} ms`), within);
    socket.on("connect", () => socket.write(line));
    socket.on("error", (error: NodeJS.ErrnoException) => fail(`${path}: ${error.code ?? error.message}`));
    socket.on("data", (chunk) => {
      size += chunk.length;
      if (size > LONGEST_ANSWER) return fail(`${path}: the answer is too long`);
      chunks.push(chunk);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString());
    });
  });
}

function parsed(text: string): Reply | undefined {
  try {
    const value = JSON.parse(text) as Reply | null;
    return typeof value?.ok === "boolean" ? value : undefined;
  } catch {
    return undefined;
  }
}
