/**
 * A file that lines are appended to, written at once, and never larger than it may be: when it is full it becomes `.1`, what
 * was `.1` becomes `.2`, and so on; the oldest goes.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { storageFailed } from "../model/storageFailed.ts";

export interface RotatedFileOptions {
  readonly path: string;
  /** Bytes of one file. */
  readonly largest: number;
  /** Files beside the one that is written. */
  readonly older: number;
}

/** What the agent's own log may take of the disk: 8 MiB. */
export const AGENT_LOG = { largest: 2 << 20, older: 3 } as const;

/** Oldest first; not all of them need be there. */
export const pathsOf = ({ path, older }: Pick<RotatedFileOptions, "path" | "older">): string[] => [
  ...Array.from({ length: older }, (_, n) => `${path}.${older - n}`),
  path,
];

export class RotatedFile {
  readonly #options: RotatedFileOptions;
  #file: number | undefined;
  #size = 0;

  /** Made with mode 0600. @throws {AgentError} storage_failed */
  constructor(options: RotatedFileOptions) {
    this.#options = options;
    try {
      this.#open();
    } catch (error) {
      throw storageFailed(error);
    }
  }

  /** A disk that takes no more costs the line, and nothing else. */
  write(line: string): void {
    try {
      if (this.#size > 0 && this.#size + Buffer.byteLength(line) > this.#options.largest) this.#rotate();
      this.#size += writeSync(this.#file ?? this.#open(), line);
    } catch {
      // The line is on standard output all the same.
    }
  }

  #open(): number {
    const file = openSync(this.#options.path, "a", 0o600);
    this.#file = file;
    this.#size = fstatSync(file).size;
    return file;
  }

  #rotate(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    const paths = pathsOf(this.#options);
    for (const [at, to] of paths.slice(0, -1).entries()) move(paths[at + 1] ?? "", to);
    this.#open();
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
