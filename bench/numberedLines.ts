/** Containers that print numbered lines of 100 bytes, and a subscriber that counts them. */
import type { Session } from "../src/services/wampSession.ts";
import { dial, type Line } from "../test/support/link.ts";
import { hears, isDevice, openStage, type Stage, type StageOptions } from "../test/support/stage.ts";
import { NODE_FLAGS, type Parts } from "./parts.ts";

/** `p 0 999`: those lines, as fast as it goes. */
const PRINT =
  "p() { busybox awk -v a=$1 -v b=$2 'BEGIN { for (i = a; i <= b; i++) printf \"%099d\\n\", i }'; }; trap 'exit 0' TERM; ";
const STAYS = "; while true; do sleep 3600 & wait $!; done";

/** Begins when somebody says so: an empty file in its data folder. */
const BEGINS = "while ! test -e /data/go; do sleep 0.05; done; ";

export const atOnce = (lines: number): string => `${PRINT}${BEGINS}p 0 ${lines - 1}; echo end${STAYS}`;
/** One each tenth of a second. */
export const quietly = (lines: number): string =>
  `${PRINT}${BEGINS}i=0; while test $i -lt ${lines}; do p $i $i; i=$((i+1)); sleep 0.1; done; echo end${STAYS}`;
/** So many lines each second by the clock, however long the printing takes. */
export const steadily = (perSecond: number, lines: number): string =>
  [
    `${PRINT}up() { read s _ < /proc/uptime; echo "\${s%.*}\${s#*.}"; }; ${BEGINS}i=0; begun=$(up)`,
    `while test $i -lt ${lines}; do n=$((($(up)-begun)*${perSecond / 100}))`,
    `if test $n -gt ${lines}; then n=${lines}; fi; if test $n -gt $i; then p $i $((n-1)); i=$n; fi; sleep 0.05; done`,
    `echo end${STAYS}`,
  ].join("; ");
export const forEver = `${PRINT}${BEGINS}while true; do p 0 99999; done`;

export class Counter {
  lines = 0;
  told = 0;
  /** What was missing in a row, and what was told about it. */
  readonly gaps: { missing: number; told: number }[] = [];
  /** Lines that came again or late. */
  wrong = 0;
  next = 0;
  /** Lines up to the last one of which none is missing. */
  inARow = 0;
  #told = 0;
  readonly ended = Promise.withResolvers<void>();

  readonly take = ([message]: unknown[]): void => {
    if (typeof message !== "string") return;
    for (const line of message.split("\n")) this.#take(line);
  };

  #take(line: string): void {
    if (line === "end") return this.ended.resolve();
    if (line.startsWith("…")) this.#told += Number(/^… (\d+) /.exec(line)?.[1] ?? 0);
    if (!/^\d{99}$/.test(line)) return;
    const n = Number(line);
    if (n < this.next) this.wrong++;
    if (n > this.next || this.#told > 0) {
      this.gaps.push({ missing: n - this.next, told: this.#told });
      this.inARow = 0;
    }
    this.inARow++;
    this.told += this.#told;
    this.#told = 0;
    this.lines++;
    this.next = n + 1;
  }
}

export interface LogStage {
  readonly s: Stage;
  readonly pid: number;
  readonly session: Session;
  listen(container: string, take: (args: unknown[]) => void): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openLogStage(parts: Parts, more: Partial<StageOptions> = {}): Promise<LogStage> {
  const s = await openStage({
    ...{ engineSocket: parts.socket, registry: parts.registry, nodeFlags: NODE_FLAGS, env: { ...parts.env } },
    ...{ flags: ["-debug=false"], logs: false },
    ...more,
  });
  let pid = 0;
  await s.see("connected", isDevice("CONNECTED"), () => {
    pid = s.startAgent().pid;
  });
  const { authid, secret } = s.operator();
  const line: Line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  const session = await line.joined;
  return {
    s,
    pid,
    session,
    listen: (container, take) => session.subscribe(`reswarm.logs.${s.identity.serial_number}.${container}`, take),
    [Symbol.asyncDispose]: async () => {
      session.close();
      await line.end;
      await s[Symbol.asyncDispose]();
    },
  };
}

export async function runs(s: Stage, key: number, act: () => unknown): Promise<void> {
  await s.see("it runs", hears(key, "RUNNING"), act, 60_000);
}
