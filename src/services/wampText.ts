/** What may be put on the wire: URIs that no router closes the link for, and strings that none of them loses. */
import { RequestError } from "./wampCauses.ts";

const STRICT = /^([^\s.#\p{Cc}]+\.)*[^\s.#\p{Cc}]+$/u;
/** A pattern (match prefix or wildcard) may have empty parts, also at its end. */
const PATTERN = /^([^\s.#\p{Cc}]*\.)*[^\s.#\p{Cc}]*$/u;
const LONGEST_URI = 1_000;

/** Crossbar.io closes the link on a malformed URI; a caller-supplied one must therefore never reach it. */
export function checkUri(uri: string, match: "exact" | "prefix" | "wildcard" = "exact"): string {
  const isFine =
    uri.length > 0 &&
    uri.length <= LONGEST_URI &&
    uri.isWellFormed() &&
    (match === "exact" ? STRICT : PATTERN).test(uri);
  if (!isFine || looksLikePrefix(uri)) throw new RequestError("bad_uri", JSON.stringify(uri.slice(0, 80)));
  return uri;
}

/** autobahn takes "toString:x" for a prefix shortcut and sends the text of a function instead. */
function looksLikePrefix(uri: string): boolean {
  const colon = uri.indexOf(":");
  return colon >= 0 && uri.slice(0, colon) in {};
}

/**
 * JSON that every router passes on: a lone surrogate makes Crossbar.io and nexus drop the message without a word, and a
 * string that begins with U+0000 means binary. Both become U+FFFD. JSON.stringify escapes exactly these, so clean
 * messages, nearly all, pay for one search in the text and nothing else.
 */
export function encode(message: readonly unknown[]): string {
  let text: string;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new RequestError("unserializable", error instanceof Error ? error.message.split("\n", 1).join() : "");
  }
  return text.includes("\\ud") || text.includes('"\\u0000') ? JSON.stringify(clean(JSON.parse(text))) : text;
}

function clean(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key), clean(inner)]));
}

function cleanText(text: string): string {
  const wellFormed = text.toWellFormed();
  return wellFormed.startsWith("\0") ? `\uFFFD${wellFormed.slice(1)}` : wellFormed;
}
