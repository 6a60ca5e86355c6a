/**
 * Makes every request settle: by its answer, its deadline, its signal, or the end of the link. autobahn leaves open what
 * it was waiting for when the link ends, and some routers never answer a cancelled call.
 */
import type { Session } from "autobahn";
import { autobahn } from "./autobahnQuiet.ts";
import { RequestError } from "./wampCauses.ts";
import { LOCAL_ERROR } from "./wampTransport.ts";

interface Limits {
  readonly within: number;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the time is up or the signal fires. Answers how long the answer may still take. */
  readonly giveUp?: (why: "deadline" | "cancelled") => number;
}

export class Requests {
  readonly #open = new Set<(error: RequestError) => void>();
  #ended: RequestError | undefined;

  get count(): number {
    return this.#open.size;
  }

  /** `start` may throw, as autobahn does, strings too. `what` is for the message of an error. */
  run<Answer>(what: string, start: () => Promise<Answer>, { within, signal, giveUp }: Limits): Promise<Answer> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(new RequestError("cancelled", what));
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const over = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#open.delete(fail);
      };
      const fail = (error: unknown) => {
        over();
        reject(error);
      };
      let isGivenUp = false;
      const stop = (why: "deadline" | "cancelled") => {
        if (isGivenUp) return;
        isGivenUp = true;
        clearTimeout(timer);
        const grace = giveUp?.(why) ?? 0;
        if (!this.#open.has(fail)) return;
        timer = setTimeout(() => fail(new RequestError(why, what)), grace);
      };
      const onAbort = () => stop("cancelled");
      this.#open.add(fail);
      signal?.addEventListener("abort", onAbort);
      timer = setTimeout(() => stop("deadline"), within);
      const done = (answer: Answer) => {
        over();
        resolve(answer);
      };
      try {
        start().then(done, fail);
      } catch (thrown) {
        fail(thrown instanceof Error ? thrown : new RequestError("link_down", String(thrown)));
      }
    });
  }

  /** Fails what is open, and whatever comes after. */
  end(because: string): void {
    this.#ended = new RequestError("link_down", because);
    const lost = new RequestError("link_lost", because);
    for (const fail of [...this.#open]) fail(lost);
  }
}

export type ProgressPromise = ReturnType<Session["call"]> & { onProgress?: (part: unknown) => void };

/** autobahn needs `notify` for progress, and settles promises that nobody may be waiting for any more. */
export function deferred() {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => {});
  return { promise, resolve, reject, notify: (part: unknown) => (promise as ProgressPromise).onProgress?.(part) };
}

/** What autobahn rejected with, as the one error of this link. */
export function requestError(what: string, error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (!(error instanceof autobahn.Error)) return new RequestError("link_down", String(error));
  if (error.error !== LOCAL_ERROR) return new RequestError("refused", `${what}: ${error.error}`, error);
  const [code, detail] = error.args as [RequestError["code"], string];
  return new RequestError(code, `${what}: ${detail}`);
}
