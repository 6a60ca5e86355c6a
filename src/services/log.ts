/** The agent's own log: JSON lines by pino, to standard output and to a file that is rotated. Written at once. */
import { multistream, pino, stdSerializers } from "pino";
import { AgentError } from "../model/errors.ts";
import { AGENT_LOG, RotatedFile } from "./rotatedFile.ts";
import { standardOutput } from "./standardOutput.ts";

type Level = "trace" | "debug" | "info" | "warn" | "error";
type Write = (fields: Readonly<Record<string, unknown>>, words: string) => void;

export type Log = Readonly<Record<Exclude<Level, "trace">, Write>>;

export interface LogOptions {
  readonly level: Level;
  /** Written too; made with mode 0600, rotated, bounded. */
  readonly file?: string | undefined;
}

export function createLog({ level, file }: LogOptions): Log {
  const out = standardOutput();
  const streams = file
    ? [
        { level, stream: out },
        { level, stream: new RotatedFile({ path: file, ...AGENT_LOG }) },
      ]
    : [{ level, stream: out }];
  const logger = pino(
    { level, base: null, serializers: { error: shown }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    multistream(streams),
  );
  const write =
    (name: Exclude<Level, "trace">): Write =>
    (fields, words) =>
      logger[name](fields, words);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** The code is what one searches for; a stack is only for what is a defect. */
function shown(error: unknown): unknown {
  if (error instanceof AgentError && error.code !== "internal") {
    const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
    return { code: error.code, says: error.message, ...cause };
  }
  return error instanceof Error ? stdSerializers.err(error) : error;
}
