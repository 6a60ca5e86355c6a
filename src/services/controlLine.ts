/** One request on the control socket and its answer, or its parts one after the other: a line of JSON each. */

/** Longest request, in bytes. An answer may be longer. */
export const LONGEST_REQUEST = 64 * 1024;
/** What a path of a unix socket has room for. */
export const LONGEST_PATH = 107;

export interface Request {
  readonly ask: string;
  readonly params?: unknown;
}

export type Reply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: true; readonly part: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly says: string } };
