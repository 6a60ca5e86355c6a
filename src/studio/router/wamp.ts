/** Words that all parts of the embedded router share. */
import { randomInt } from "node:crypto";

export type Dict = Record<string, unknown>;
export type Message = unknown[];
export type Match = "exact" | "prefix" | "wildcard";
export type Action = "call" | "register" | "publish" | "subscribe";

export { CODE } from "../../model/wamp.ts";

/** Becomes an ERROR to whoever asked. */
export class WampFailure extends Error {
  readonly uri: string;
  readonly args: unknown[];
  readonly kwargs: Dict | undefined;
  constructor(uri: string, args: unknown[] = [], kwargs?: Dict) {
    super(uri);
    this.uri = uri;
    this.args = args;
    this.kwargs = kwargs;
  }
}

export const newId = (): number => randomInt(1, 2 ** 47);
export const isDict = (value: unknown): value is Dict =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const dict = (value: unknown): Dict => (isDict(value) ? value : {});
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Arguments as they came, without trailing emptiness. */
export function payloadOf(args: unknown, kwargs: unknown): unknown[] {
  if (isDict(kwargs) && Object.keys(kwargs).length > 0) return [list(args), kwargs];
  return list(args).length > 0 ? [args] : [];
}

const URI = /^[^\s.#]+(\.[^\s.#]+)*$/;
const PATTERN = /^[^\s.#]*(\.[^\s.#]*)*$/;
const LONGEST_URI = 1_000;

export function checkUri(uri: unknown, match: Match = "exact"): string {
  if (typeof uri !== "string") throw new WampFailure("wamp.error.invalid_uri", [typeof uri]);
  if (uri.length > LONGEST_URI || !(match === "exact" ? URI : PATTERN).test(uri)) {
    throw new WampFailure("wamp.error.invalid_uri", [uri.slice(0, 80)]);
  }
  return uri;
}

export function matchOf(options: Dict): Match {
  const { match } = options;
  return match === "prefix" || match === "wildcard" ? match : "exact";
}

export function covers(match: Match, pattern: string, uri: string): boolean {
  if (match === "prefix") return uri.startsWith(pattern);
  if (match === "exact") return uri === pattern;
  const [wanted, parts] = [pattern.split("."), uri.split(".")];
  return wanted.length === parts.length && wanted.every((part, at) => part === "" || part === parts[at]);
}

/** exact before prefix before wildcard, and the longer before the shorter. */
export function bestOf<Item extends { readonly match: Match; readonly uri: string }>(
  items: Iterable<Item>,
  uri: string,
): Item | undefined {
  let best: Item | undefined;
  for (const item of items) {
    if (covers(item.match, item.uri, uri) && (best === undefined || rank(item) > rank(best))) best = item;
  }
  return best;
}

const RANK: Readonly<Record<Match, number>> = { exact: 2_000_000, prefix: 1_000_000, wildcard: 0 };
const rank = ({ match, uri }: { readonly match: Match; readonly uri: string }) => RANK[match] + uri.length;
