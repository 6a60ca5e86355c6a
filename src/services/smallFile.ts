/** Reads a file that a person wrote: small, and a plain file. Anything else in its place is an error, not a full memory. */
import { open } from "node:fs/promises";
import { AgentError, type ErrorCode } from "../model/errors.ts";

/** Bytes. Real ones have about 1 KiB. */
const LARGEST = 64 * 1024;

/**
 * `undefined` if there is no such file.
 *
 * @throws {AgentError} of that code, when it cannot be read.
 */
export async function readSmallFile(path: string, code: ErrorCode): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const found = await file.stat();
    if (!found.isFile()) throw new AgentError(code, `${path} is no plain file`);
    if (found.size > LARGEST) throw new AgentError(code, `${path} has more than ${LARGEST} bytes`);
    return await file.readFile("utf8");
  } catch (error) {
    if (error instanceof AgentError) throw error;
    if (codeOf(error) === "ENOENT") return undefined;
    throw new AgentError(code, `${path} cannot be read (${codeOf(error)})`, { cause: error });
  }
}

/** `EACCES`, or what was thrown as a text. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
