/** The agent's own log, read back: from its files, oldest first, as lines for a person. */
import { readFile } from "node:fs/promises";
import { type DeviceLogQuery, LEVELS, type Level, pageOf } from "../model/logQuery.ts";
import { AGENT_LOG, pathsOf } from "./rotatedFile.ts";

/** As it goes over the wire. */
export interface DeviceLogAnswer {
  readonly lines: readonly string[];
  readonly returned: number;
  readonly truncated: boolean;
  readonly files_scanned: number;
  readonly device_time: string;
  readonly oldest_available?: string;
}

interface Entry {
  readonly at: number;
  readonly level: Level;
  readonly text: string;
}

export async function queryDeviceLog(path: string, query: DeviceLogQuery, now: number): Promise<DeviceLogAnswer> {
  const { level, since = 0, until = Number.POSITIVE_INFINITY } = query;
  const read = await Promise.all(pathsOf({ path, older: AGENT_LOG.older }).map(readOr));
  const files = read.filter((text) => text !== undefined);
  const entries = entriesIn(files.flatMap((text) => text.split("\n")).filter((line) => line !== ""));
  const wanted = entries.filter(
    ({ at, level: each }) => LEVELS.indexOf(each) >= LEVELS.indexOf(level) && at >= since && at <= until,
  );
  const { lines, isCut } = pageOf(
    wanted.map(({ text }) => text),
    query,
  );
  const oldest = entries[0]?.at;
  return {
    ...{ lines, returned: lines.length, truncated: isCut, files_scanned: files.length },
    device_time: new Date(now).toISOString(),
    ...(oldest && { oldest_available: new Date(oldest).toISOString() }),
  };
}

function entriesIn(lines: readonly string[]): Entry[] {
  let last: Entry = { at: 0, level: "info", text: "" };
  return lines.map((line) => {
    last = entryOf(line, last);
    return last;
  });
}

/** What is no JSON belongs to what was before it: a stack of Node, say. */
function entryOf(line: string, before: Entry): Entry {
  try {
    const { level, time, msg, error, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const at = typeof time === "string" ? Date.parse(time) : Number.NaN;
    const name = LEVELS[Number(level) / 10 - 1];
    if (name === undefined || Number.isNaN(at)) return { ...before, text: line };
    const more = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : "";
    const why = error === undefined ? "" : `: ${wordsOf(error)}`;
    return { at, level: name, text: `${time} ${name.toUpperCase()} ${msg}${why}${more}` };
  } catch {
    return { ...before, text: line };
  }
}

function wordsOf(error: unknown): string {
  const { says, message } = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  return String(says ?? message ?? JSON.stringify(error));
}

async function readOr(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
