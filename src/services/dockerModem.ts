/**
 * docker-modem, made safe for a daemon: no path that the engine would redirect (it ends the process otherwise), a deadline
 * on every call, bodies that are collected here and settle on any end, JSON only where the engine says so, typed errors.
 * Measured with docker-modem 5.0.7 and Docker 20.10.24; each point answers a defect that was reproduced.
 */
import { Agent, type AgentOptions, type IncomingMessage } from "node:http";
import { inspect } from "node:util";
import Modem from "docker-modem";
import { type Ms, ms, seconds } from "../model/duration.ts";
import { AgentError, type ErrorCode } from "../model/errors.ts";

/** The engine said no, or nothing. `status` is its HTTP status, if it got so far. */
export class EngineError extends AgentError {
  readonly status: number | undefined;

  constructor(code: ErrorCode, detail: string, options: ErrorOptions & { status?: number | undefined } = {}) {
    super(code, detail, options);
    this.status = options.status;
  }
}

/** True for an error with one of these HTTP statuses. */
export const hasStatus = (error: unknown, ...statuses: number[]): boolean =>
  error instanceof EngineError && error.status !== undefined && statuses.includes(error.status);

const DEADLINES: readonly [RegExp, Ms][] = [
  [/^(DELETE |POST \/containers\/[^/]+\/wait\b)/, seconds(120)],
  [/^POST \/containers\/[^/]+\/(stop|kill|start|restart)\b/, seconds(30)],
  [/^POST \/containers\/create\b/, seconds(30)],
  [/^POST \/images\/create\b/, seconds(120)],
  [/^POST \/(images|build)\/prune\b/, seconds(300)],
];
const DEADLINE = seconds(10);

const UNSAFE = /\/\/|\/\.\.?(\/|$)|[%#\\\s]|\/$/;

export interface SafeModemOptions {
  readonly socketPath: string;
  readonly version?: string;
  /** Multiplies all deadlines; for tests on a frozen engine. Default 1. */
  readonly patience?: number;
}

/**
 * Connections to the engine. Node goes on to read a socket that is paused until its buffer is full, woken for each line that
 * the engine writes (5,400 times a second in a flood); with a buffer of one byte it is woken once. docker-modem prints its
 * agent into a debug line at each request, seen or not (39 ms with 20 open streams), so there is nothing to print.
 */
const CONNECTIONS = Object.assign(
  new Agent({ keepAlive: true, scheduling: "lifo", timeout: 5_000, readableHighWaterMark: 1 } as AgentOptions),
  { [inspect.custom]: () => "connections to the engine" },
);

export class SafeModem extends Modem {
  readonly #patience: number;

  constructor({ socketPath, version, patience = 1 }: SafeModemOptions) {
    super({ socketPath, version, agent: CONNECTIONS });
    this.#patience = patience;
  }

  override dial(options: Modem.DialOptions, callback: Modem.RequestCallback): void {
    const path = options.path.split("?")[0] ?? "";
    if (UNSAFE.test(path)) {
      return queueMicrotask(() => callback(new EngineError("internal", `unsafe path ${path}`), null));
    }
    const late = new AbortController();
    const within = ms(deadlineOf(`${options.method} ${path}`, options.options) * this.#patience);
    const timer = setTimeout(() => late.abort(), within);
    const caller = options.abortSignal;
    let isSettled = false;
    const settle = (error: unknown, value: object | Buffer | null) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      callback(error ? typed(error, late.signal.aborted ? within : undefined, caller) : null, value);
    };
    const isStream = options.isStream === true || options.hijack === true;
    const signal = caller ? AbortSignal.any([caller, late.signal]) : late.signal;
    super.dial({ ...options, abortSignal: signal, isStream: true }, (error, answer) => {
      if (error || !answer) return settle(error ?? new Error("no answer"), null);
      if (isStream) return settle(null, answer);
      collect(answer as IncomingMessage, settle);
    });
  }
}

/** A stop waits for the container before it answers: its grace `t`, in seconds, comes on top. */
function deadlineOf(call: string, options: unknown): Ms {
  const grace = Number((options as { t?: unknown } | undefined)?.t ?? 0);
  const own = DEADLINES.find(([pattern]) => pattern.test(call))?.[1] ?? DEADLINE;
  return ms(own + seconds(Number.isFinite(grace) ? grace : 0));
}

function collect(answer: IncomingMessage, settle: (error: unknown, value: object | Buffer | null) => void): void {
  const chunks: Buffer[] = [];
  answer.on("data", (chunk: Buffer) => chunks.push(chunk));
  answer.once("error", (error) => settle(error, null));
  answer.once("close", () => settle(new EngineError("engine_unreachable", "the connection broke"), null));
  answer.once("end", () => {
    const body = Buffer.concat(chunks);
    if (!answer.complete) return settle(new EngineError("engine_unreachable", "the answer is cut off"), null);
    if (!answer.headers["content-type"]?.startsWith("application/json")) return settle(null, body);
    try {
      settle(null, JSON.parse(body.toString()) as object);
    } catch (error) {
      settle(error, null);
    }
  });
}

interface Raw {
  readonly code?: string;
  readonly statusCode?: number;
  readonly json?: { readonly message?: string } | null;
  readonly message?: string;
}

function typed(error: unknown, timedOutAfter: Ms | undefined, caller: AbortSignal | undefined): Error {
  if (caller?.aborted) return caller.reason instanceof Error ? caller.reason : new Error("aborted", { cause: error });
  if (timedOutAfter !== undefined) return new EngineError("engine_timeout", `${timedOutAfter} ms`, { cause: error });
  if (error instanceof AgentError) return error;
  const { code, statusCode, json, message = "" } = (error ?? {}) as Raw;
  if (statusCode === undefined) return new EngineError("engine_unreachable", code ?? message, { cause: error });
  const words = json?.message ?? message;
  return new EngineError(codeOf(statusCode, words), words, { cause: error, status: statusCode });
}

function codeOf(status: number, words: string): ErrorCode {
  if (/no space left on device/i.test(words)) return "engine_full";
  return status === 400 ? "bad_configuration" : "container_failed";
}
