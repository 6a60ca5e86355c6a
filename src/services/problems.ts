/** What is wrong now, in memory: one problem a subject, the oldest given up when there are too many. */
import { AgentError } from "../model/errors.ts";
import type { Problem, Problems } from "../model/problem.ts";

export interface ProblemsOptions {
  readonly now: () => number;
  /** A problem that was not there, or says something else now. */
  readonly onNews?: (problem: Problem) => void;
  readonly onCleared?: (about: string) => void;
}

const MOST = 200;

export class KeptProblems implements Problems {
  readonly #options: ProblemsOptions;
  readonly #all = new Map<string, Problem>();

  constructor(options: ProblemsOptions) {
    this.#options = options;
  }

  note(about: string, error: unknown): void {
    const { now, onNews } = this.#options;
    const { code, message: says } = AgentError.from(error);
    const before = this.#all.get(about);
    const problem: Problem = { about, code, says, since: before?.since ?? now() };
    this.#all.set(about, problem);
    const [oldest] = this.#all.keys();
    if (this.#all.size > MOST && oldest !== undefined) this.#all.delete(oldest);
    if (before?.says !== says) onNews?.(problem);
  }

  clear(about: string): void {
    if (this.#all.delete(about)) this.#options.onCleared?.(about);
  }

  list(): readonly Problem[] {
    return [...this.#all.values()];
  }
}
