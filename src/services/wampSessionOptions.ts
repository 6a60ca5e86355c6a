/** What a session is given, and the facts that it tells. */
import type { Ending } from "../model/linkCauses.ts";
import type { AuthMethod } from "../model/settings.ts";
import type { Cause } from "./wampCauses.ts";
import type { Payload } from "./wampEndpoint.ts";
import type { TransportOptions } from "./wampTransport.ts";

export type SessionFact =
  | { readonly type: "challenged" }
  | { readonly type: "welcomed"; readonly session: number; readonly authrole: string | undefined }
  | { readonly type: "lost"; readonly ending: Ending; readonly cause: Cause };

export interface SessionOptions extends Omit<TransportOptions, "method" | "onEnd"> {
  readonly realm: string;
  readonly authid: string;
  /** The only method that is offered. Default is wampcra. */
  readonly method?: AuthMethod;
  /** Sent in HELLO: the public key for cryptosign. */
  readonly authextra?: Readonly<Record<string, unknown>>;
  /** Read anew by each attempt, so that a rotated secret is found. */
  readonly readSecret: () => string | Promise<string>;
  readonly onFact: (fact: SessionFact) => void;
  /** A procedure or handler that threw. */
  readonly onProblem?: (what: string, error: unknown) => void;
  /** From the dial to WELCOME. Default is 10 s. */
  readonly joinWithin?: number;
  /** For each request. Default is 10 s. */
  readonly requestWithin?: number;
  /** For the router's answer to a cancel. Default is 1 s. */
  readonly cancelGrace?: number;
  readonly random?: () => number;
}

export type Match = "exact" | "prefix" | "wildcard";

export interface CallOptions {
  readonly within?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (part: Payload) => void;
}

export interface RegisterOptions {
  readonly match?: Match;
  readonly invoke?: "single" | "roundrobin";
  /** Take it from whoever has it. nexus ignores it. Default is true; false for a name that proves who we are. */
  readonly force?: boolean;
  /** How long to try again while another session, maybe our own ghost, has it. Default is 16 s. */
  readonly patience?: number;
}
