/**
 * The agent as a process of its own, in its own process group. Its log lines are read as they come; a process that an
 * owner which was killed left behind is found again by its pid file and ended.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface AgentProcess {
  readonly pid: number;
  /** SIGTERM, and SIGKILL after 5 s. Resolves with the exit code; null after a signal. */
  stop(): Promise<number | null>;
  /** As a crash would. */
  kill(): Promise<void>;
}

export interface AgentProcessOptions {
  /** What is run: the path of cli.ts or of the bundle. */
  readonly entry: string;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pidFile: string;
  /** A line of its log, parsed. What is no JSON comes as `{ msg }`. */
  readonly onLine: (line: Readonly<Record<string, unknown>>) => void;
  readonly onExit: (code: number | null) => void;
}

export function startAgentProcess(options: AgentProcessOptions): AgentProcess {
  const { entry, nodeFlags = [], args, env, pidFile, onLine, onExit } = options;
  endLeftover(pidFile);
  const child = spawn(process.execPath, [...nodeFlags, entry, ...args], {
    detached: true,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = child.pid ?? 0;
  writeFileSync(pidFile, `${pid}\n`, { mode: 0o600 });
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (text) => onLine(parsed(text)));
  const exit = once(child, "exit").then(([code]) => {
    rmSync(pidFile, { force: true });
    onExit(code as number | null);
    return code as number | null;
  });
  return {
    pid,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      const code = await exit;
      clearTimeout(timer);
      return code;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : { msg: text };
  } catch {
    return { msg: text };
  }
}

/** Ends what the file names, if it still is a node process: a pid may have gone to somebody else. */
export function endLeftover(pidFile: string): void {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    if (pid > 1 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agentDir")) process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!/ENOENT|ESRCH/.test(String(error))) throw error;
  }
  rmSync(pidFile, { force: true });
}
