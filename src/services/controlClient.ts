/** Asks a process of ours on its control socket. */
import { connect } from "node:net";
import { AgentError, ERROR_CODES, type ErrorCode } from "../model/errors.ts";
import { LONGEST_PATH, type Reply } from "./controlLine.ts";

const LONGEST_ANSWER = 16 << 20;

/**
 * @throws {AgentError} agent_not_running where nobody listens, or nobody answers in time (default 5,000 ms); else what the other side
 * says, by its code.
 */
export async function ask(path: string, name: string, params?: unknown, { within = 5_000 } = {}): Promise<unknown> {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new AgentError("bad_settings", `the control socket's path has more than ${LONGEST_PATH} bytes: ${path}`);
  const text = await exchange(path, `${JSON.stringify({ ask: name, params })}\n`, within);
  const reply = parsed(text);
  if (reply === undefined) throw new AgentError("internal", `${path} answers something that is no answer`);
  if (reply.ok) return reply.result;
  const { code, says } = reply.error;
  const isKnown = ERROR_CODES.includes(code as ErrorCode);
  throw new AgentError(isKnown ? (code as ErrorCode) : "internal", says);
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
