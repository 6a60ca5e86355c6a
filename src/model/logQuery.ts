/** Questions about logs, as they come over the wire and from a keyboard, and what is taken out of what was read. */
import { WireError } from "./wireRequest.ts";

export interface LogWindow {
  /** Lines from the end. */
  readonly tail: number;
  /** So many of the newest lines are left out. */
  readonly offset: number;
  /** ms since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface AppLogQuery extends LogWindow {
  readonly container: string;
  readonly hasStamps: boolean;
}

export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface DeviceLogQuery extends LogWindow {
  readonly level: Level;
}

/** More is not read for one question. */
export const MOST_LINES = 5_000;
/** Bytes of an answer's lines, as JSON, with room for the rest of a message of 4 MiB; the oldest go first. */
export const LARGEST_ANSWER = (4 << 20) - 4_096;

type Dict = Readonly<Record<string, unknown>>;

/** @throws {WireError} with the original's words. */
export function parseAppLogQuery(args: readonly unknown[], now: number): AppLogQuery {
  const dict = dictIn(args);
  const container = containerIn(dict);
  return { container, ...windowIn(dict, now, 200), hasStamps: flagIn(dict, "timestamps", true) };
}

/** The name of a container. @throws {WireError} with the original's words. */
export const parseContainerName = (args: readonly unknown[]): string => containerIn(dictIn(args));

/** Without arguments it is asked for what is usual. @throws {WireError} with the original's words. */
export function parseDeviceLogQuery(args: readonly unknown[], now: number): DeviceLogQuery {
  const dict = args.length === 0 || args[0] === null ? {} : dictIn(args);
  return { ...windowIn(dict, now, 300), level: levelIn(dict) };
}

function levelIn({ level = "info" }: Dict): Level {
  const word = typeof level === "string" ? level.toLowerCase() : "";
  const known = LEVELS.find((each) => each === (word === "warning" ? "warn" : word));
  if (!known) throw new WireError(`the level param should be one of ${LEVELS.join(", ")}`);
  return known;
}

/** @throws {WireError} with the original's words. */
export function dictIn([first]: readonly unknown[]): Dict {
  if (first === undefined || first === null) throw new WireError("arguments are missing");
  if (typeof first !== "object" || Array.isArray(first)) throw new WireError("first param should be a dict");
  return first as Dict;
}

function containerIn({ containerName }: Dict): string {
  if (typeof containerName !== "string" || !/^[A-Za-z0-9][\w.-]{0,254}$/.test(containerName))
    throw new WireError("invalid value for containerName");
  return containerName;
}

function windowIn(dict: Dict, now: number, usual: number): LogWindow {
  const [tail, offset] = [countIn(dict, "tail") ?? usual, countIn(dict, "offset") ?? 0];
  const [since, until] = [timeIn(dict, "since", now), timeIn(dict, "until", now)];
  return { tail: Math.min(tail, MOST_LINES), offset, since, until };
}

function countIn(dict: Dict, key: string): number | undefined {
  const value = dict[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new WireError(`the ${key} param should be a non-negative whole number`);
}

/** @throws {WireError} with the original's words. */
export function flagIn(dict: Dict, key: string, usual: boolean): boolean {
  const value = dict[key] ?? usual;
  if (typeof value === "boolean") return value;
  throw new WireError(`the ${key} param should be a boolean`);
}

function timeIn(dict: Dict, key: string, now: number): number | undefined {
  const value = dict[key] ?? undefined;
  if (value === undefined || value === "") return undefined;
  if (typeof value !== "string") throw new WireError(`the ${key} param should be a string`);
  const at = instantIn(value, now);
  if (at === undefined) throw new WireError(`invalid ${key}: ${JSON.stringify(value.slice(0, 40))}`);
  return at;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** What a Date can hold. */
const LATEST = 8.64e15;

/** RFC 3339, Unix seconds, or a duration that means "ago": `1h30m`, `-2h`. ms since 1970. */
export function instantIn(words: string, now: number): number | undefined {
  const at = /^\d{1,12}(\.\d{1,9})?$/.test(words)
    ? Number(words) * 1_000
    : /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(words)
      ? Date.parse(words)
      : agoIn(words, now);
  return at === undefined || Number.isNaN(at) || Math.abs(at) > LATEST ? undefined : Math.max(at, 0);
}

function agoIn(words: string, now: number): number | undefined {
  if (words.length > 40 || !/^[-+]?(\d{1,9}(\.\d{1,9})?(ms|s|m|h))+$/.test(words)) return undefined;
  const parts = [...words.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return now - parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}

export interface Page {
  readonly lines: readonly string[];
  /** Older lines of what was read were left out. */
  readonly isCut: boolean;
}

/** Of lines, oldest first, those that a window asks for; no more than an answer may have. */
export function pageOf(read: readonly string[], { tail, offset }: LogWindow): Page {
  const end = Math.max(read.length - offset, 0);
  const begin = Math.max(end - tail, 0);
  let left = LARGEST_ANSWER;
  let from = end;
  while (from > begin) {
    left -= Buffer.byteLength(JSON.stringify(read[from - 1])) + 1;
    if (left < 0) break;
    from--;
  }
  return { lines: read.slice(from, end), isCut: from > 0 && end > 0 };
}
