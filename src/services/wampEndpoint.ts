/** What runs in this process on behalf of the router: procedures and event handlers, wrapped so that none can hurt the link. */
import type { Event, Invocation } from "autobahn";
import { autobahn } from "./autobahnQuiet.ts";

export type Dict = Record<string, unknown>;

/** Positional and named values; what a request answers, and what a procedure may return. */
export interface Payload {
  readonly args: unknown[];
  readonly kwargs: Dict;
}

export interface Invoked {
  readonly procedure: string;
  /** Fires when the caller cancels, when the router says that the caller is gone, and when the link ends. */
  readonly signal: AbortSignal;
  /** As disclosed by the router. An absent one is nobody. */
  readonly caller: { readonly session?: number; readonly authid?: string; readonly authrole?: string };
  /** Only if the caller asked for it. */
  readonly progress: ((args: unknown[], kwargs?: Dict) => void) | undefined;
}

/** Returns one value, a `payload`, or throws; a `Refusal` reaches the caller as it is. */
export type Endpoint = (args: unknown[], kwargs: Dict, about: Invoked) => unknown;
export type EventHandler = (args: unknown[], kwargs: Dict, about: { readonly topic: string }) => unknown;

/** More than one value to return. */
export const payload = (args: unknown[], kwargs: Dict = {}): Payload => new autobahn.Result(args, kwargs);

/** What autobahn made of a RESULT: one value as it is, everything else as a Result. */
export function payloadOf(answer: unknown): Payload {
  if (answer instanceof autobahn.Result) return { args: answer.args, kwargs: answer.kwargs };
  return { args: [answer], kwargs: {} };
}

/** An error that the caller shall see, with its WAMP error URI. Any other one becomes a runtime_error with its message. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly uri: string;
  readonly args: unknown[];
  readonly kwargs: Dict;

  constructor(uri: string, args: unknown[] = [], kwargs: Dict = {}) {
    super(uri);
    this.uri = uri;
    this.args = args;
    this.kwargs = kwargs;
  }
}

type OnProblem = (what: string, error: unknown) => void;

/** `signalNow` is read within autobahn's own call of the endpoint. A cancelled procedure is answered at once. */
export function guardEndpoint(endpoint: Endpoint, signalNow: () => AbortSignal, onProblem: OnProblem) {
  return async (args: unknown[], kwargs: Dict, about: Invocation): Promise<unknown> => {
    const signal = signalNow();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(new autobahn.Error("wamp.error.canceled"));
    signal.addEventListener("abort", onAbort);
    try {
      return await Promise.race([endpoint(args, kwargs, invoked(about, signal)), aborted]);
    } catch (error) {
      if (!(error instanceof Refusal) && !signal.aborted) onProblem(`procedure ${about.procedure}`, error);
      throw wireError(error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };
}

/** autobahn does not wait for a handler, so a rejection would end the process. */
export function guardHandler(handler: EventHandler, onProblem: OnProblem) {
  return (args: unknown[], kwargs: Dict, about: Event): void => {
    const { topic } = about;
    Promise.try(handler, args, kwargs, { topic }).catch((error: unknown) => onProblem(`event ${topic}`, error));
  };
}

function invoked(about: Invocation, signal: AbortSignal): Invoked {
  const { procedure, progress } = about;
  const caller = {
    ...(typeof about.caller === "number" && { session: about.caller }),
    ...(typeof about.caller_authid === "string" && { authid: about.caller_authid }),
    ...(typeof about.caller_authrole === "string" && { authrole: about.caller_authrole }),
  };
  return { procedure, signal, caller, progress: progress ? (args, kwargs) => progress(args, kwargs) : undefined };
}

function wireError(error: unknown): Error {
  const wire =
    error instanceof Refusal
      ? new autobahn.Error(error.uri, error.args, error.kwargs)
      : error instanceof autobahn.Error
        ? error
        : new autobahn.Error("wamp.error.runtime_error", [error instanceof Error ? error.message : String(error)]);
  return wire as unknown as Error;
}
