/**
 * Downloads an image and reads the engine's progress. The engine answers 200 before it begins, so a failure comes as a
 * line of the stream; and it never gives up on a registry that hangs, so silence has a deadline here.
 */
import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";
import { type Ms, minutes } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import { EngineError, hasStatus } from "./dockerModem.ts";

/** What a registry asks for; it goes into one header of the engine's request, and nowhere else. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serveraddress: string;
}

export interface PullOptions {
  readonly signal: AbortSignal;
  /** Each line of progress as the engine sends it: one JSON object. */
  readonly onProgress?: (line: string) => void;
  readonly auth?: RegistryAuth;
  /** Default is 5 min without a byte. */
  readonly silence?: Ms;
}

/** One line cannot be longer: nothing that the engine says about a layer comes near it. */
const LONGEST_LINE = 64 * 1024;

export async function readPull(docker: Docker, ref: string, options: PullOptions): Promise<void> {
  const { signal, auth, onProgress, silence = minutes(5) } = options;
  const stalled = new AbortController();
  const both = AbortSignal.any([signal, stalled.signal]);
  try {
    const stream = await docker.pull(ref, { abortSignal: both, ...(auth && { authconfig: { ...auth } }) });
    await readLines(stream as unknown as IncomingMessage, silence, stalled, (line) => {
      onProgress?.(line);
      const { error } = parsed(line);
      if (typeof error === "string") throw failed(error);
    });
  } catch (error) {
    signal.throwIfAborted();
    if (stalled.signal.aborted)
      throw new AgentError("image_pull_failed", `no byte for ${silence} ms`, { cause: error });
    throw refused(error);
  }
}

async function readLines(
  stream: IncomingMessage,
  silence: Ms,
  stalled: AbortController,
  onLine: (line: string) => void,
): Promise<void> {
  let timer = setTimeout(() => stalled.abort(), silence);
  let rest = "";
  try {
    for await (const chunk of stream) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), silence);
      const lines = (rest + String(chunk)).split("\n");
      rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
      for (const line of lines.map((each) => each.trim()).filter(Boolean)) onLine(line);
    }
    if (rest.trim()) onLine(rest.trim());
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}

function parsed(line: string): { readonly error?: unknown } {
  try {
    return JSON.parse(line) as { error?: unknown };
  } catch {
    return { error: `the engine says something that is no JSON: ${line.slice(0, 80)}` };
  }
}

function failed(words: string): AgentError {
  if (/no space left on device/i.test(words)) return new AgentError("engine_full", words);
  if (/unauthorized|authentication required|denied|no basic auth/i.test(words))
    return new AgentError("registry_refused", words);
  return new AgentError(
    /not found|manifest unknown|does not exist/i.test(words) ? "image_not_found" : "image_pull_failed",
    words,
  );
}

/** Before the stream begins: no such repository or tag is a 404, and everything about the registry a 500. */
function refused(error: unknown): unknown {
  if (!(error instanceof EngineError)) {
    return error instanceof AgentError ? error : new AgentError("engine_unreachable", String(error), { cause: error });
  }
  if (hasStatus(error, 404)) return new AgentError("image_not_found", error.message, { cause: error });
  return hasStatus(error, 400, 500) ? failed(error.message) : error;
}
