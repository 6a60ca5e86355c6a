/**
 * Reads JSON from files that hold secrets. The runtime's own error quotes the text around the fault, so it is never
 * shown: the place is found here, by line and column.
 */
import { AgentError, type ErrorCode } from "./errors.ts";

/**
 * @param about Begins the sentence: `settings.json: `.
 * @throws {AgentError} of that code, saying where the text stops being JSON. Nothing of the text is in it.
 */
export function parseJson(text: string, code: ErrorCode, about = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const before = text.slice(0, faultIn(text) ?? text.length).split("\n");
    const column = (before.at(-1) ?? "").length + 1;
    throw new AgentError(code, `${about}broken JSON at line ${before.length}, column ${column}`);
  }
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Deeper than any file of ours; keeps the stack small. */
const DEEPEST = 500;

/** Position of the first token that cannot stand there; `undefined` for JSON (RFC 8259). */
export function faultIn(text: string): number | undefined {
  let at = 0;

  function eat(token: RegExp | string): boolean {
    const found = typeof token === "string" ? (text.startsWith(token, at) ? token : undefined) : match(token);
    at += found?.length ?? 0;
    return found !== undefined;
  }

  function match(token: RegExp): string | undefined {
    token.lastIndex = at;
    return token.exec(text)?.[0];
  }

  const isNext = (token: RegExp | string): boolean => eat(SPACE) && eat(token);

  function isValue(depth: number): boolean {
    if (depth > DEEPEST) return false;
    if (isNext("{")) return isList("}", () => isNext(STRING) && isNext(":") && isValue(depth + 1));
    if (isNext("[")) return isList("]", () => isValue(depth + 1));
    return eat(STRING) || eat(SCALAR);
  }

  function isList(end: string, isItem: () => boolean): boolean {
    if (isNext(end)) return true;
    do {
      if (!isItem()) return false;
    } while (isNext(","));
    return eat(end);
  }

  const isWhole = isValue(0) && eat(SPACE) && at === text.length;
  return isWhole ? undefined : at;
}
