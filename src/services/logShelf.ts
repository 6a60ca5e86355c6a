/**
 * What is kept of each app's log beside the engine's own: how far it was handed on, and the last of what a container printed
 * that ended. One small file each, written in place: a process that is killed leaves what it wrote last (a write of one
 * piece), and only a power loss leaves something older.
 */
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type AppId, appName } from "../model/app.ts";
import { Cursor, type LogLine, type Stream } from "../model/logLine.ts";

export interface LogShelfOptions {
  readonly folder: string;
  readonly onProblem: (error: unknown) => void;
}

/** Bytes of a container's last output that are kept. */
export const LARGEST_LAST = 256 * 1024;
/** All cursors are so long, so that a shorter one leaves nothing of a longer one. */
const CURSOR = 512;
/** Without emptying it first. */
const WRITE = constants.O_WRONLY | constants.O_CREAT;

export class LogShelf {
  readonly #options: LogShelfOptions;
  readonly #files = new Map<string, number>();

  constructor(options: LogShelfOptions) {
    this.#options = options;
    this.#attempt(() => mkdirSync(options.folder, { recursive: true, mode: 0o700 }));
  }

  cursor(app: AppId): Cursor | undefined {
    const text = this.#read(this.#path(app, "cursor"));
    try {
      const parsed = Cursor.safeParse(text && JSON.parse(text));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  /** In the page cache when it returns. */
  keepCursor(app: AppId, cursor: Cursor): void {
    this.#attempt(() => {
      const name = appName(app);
      const file = this.#files.get(name) ?? openSync(this.#path(app, "cursor"), WRITE, 0o600);
      this.#files.set(name, file);
      writeSync(file, JSON.stringify(cursor).padEnd(CURSOR), 0);
    });
  }

  dropCursor(app: AppId): void {
    this.#attempt(() => {
      const file = this.#files.get(appName(app));
      if (file !== undefined) closeSync(file);
      this.#files.delete(appName(app));
      rmSync(this.#path(app, "cursor"), { force: true });
    });
  }

  /** The last output of an app's container: its id, and the lines that were kept, oldest first. */
  last(app: AppId): { readonly container: string; readonly lines: readonly LogLine[] } | undefined {
    const [container = "", ...lines] = this.#read(this.#path(app, "last"))?.split("\n") ?? [];
    if (container === "") return undefined;
    return {
      container,
      lines: lines.map((line) => ({
        stream: Number(line[0]) as Stream,
        stamp: line.slice(2, 32),
        text: line.slice(33),
      })),
    };
  }

  /** At most 256 KiB of it, the newest lines. */
  keepLast(app: AppId, container: string, lines: readonly LogLine[]): void {
    const all = lines.map(({ stream, stamp, text }) => `${stream} ${stamp} ${text}`);
    let left = LARGEST_LAST;
    const from = all.findLastIndex((line) => {
      left -= Buffer.byteLength(line) + 1;
      return left < 0;
    });
    const kept = all.slice(from + 1);
    this.#attempt(() => writeFileSync(this.#path(app, "last"), [container, ...kept].join("\n"), { mode: 0o600 }));
  }

  forget(app: AppId): void {
    this.dropCursor(app);
    this.#attempt(() => rmSync(this.#path(app, "last"), { force: true }));
  }

  close(): void {
    for (const file of this.#files.values()) this.#attempt(() => closeSync(file));
    this.#files.clear();
  }

  #path({ stage, key }: AppId, what: "cursor" | "last"): string {
    return join(this.#options.folder, `${stage}-${key}.${what}`);
  }

  #read(path: string): string | undefined {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#options.onProblem(error);
      return undefined;
    }
  }

  /** Logs go on without it: what is lost with it is told as unknown. */
  #attempt(act: () => unknown): void {
    try {
      act();
    } catch (error) {
      this.#options.onProblem(error);
    }
  }
}
