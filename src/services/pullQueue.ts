/**
 * How many images come down at once: a few finish sooner than all of them side by side, and a slow line stays usable.
 * First come, first served; whoever gives up while he waits leaves the queue.
 */
export class PullQueue {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param most at once; at least 1. */
  constructor(most: number) {
    this.#free = Math.max(most, 1);
  }

  /** @throws the signal's reason when it is called off before its turn, and whatever `pull` throws. */
  async run<T>(signal: AbortSignal, pull: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    try {
      return await pull();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(begin), 1);
      reject(signal.reason);
    };
    const begin = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(begin);
    return promise;
  }
}
