/**
 * The story of a device's first minutes as a list of steps. Each one is something to do, if anything, and an event that has
 * to be seen after it within a time. Nothing is told that was not seen.
 */

export interface Step<Event> {
  /** A sentence about what was seen: "the app runs". */
  readonly says: string;
  readonly act?: (() => Promise<unknown>) | undefined;
  /** Without one, what is done is all: it throws if it finds something else than it should. */
  readonly until?: (event: Event) => boolean;
  /** Looks back to the last thing that was done, since this event comes from elsewhere than the one before it. */
  readonly isBeside?: boolean;
  /** ms. */
  readonly within: number;
}

/** What happened so far, and who waits for what. */
export class Story<Event> {
  #events: Event[] = [];
  #onEvent = () => {};

  /** Something happened. */
  note(event: Event): void {
    this.#events.push(event);
    this.#onEvent();
  }

  /**
   * Plays the steps in order; `onStep` hears each when it was seen. Answers the step that was not seen in time, or
   * undefined. @throws what an act throws, and the signal's reason.
   */
  async play(
    steps: readonly Step<Event>[],
    onStep: (step: Step<Event>) => void,
    signal: AbortSignal,
  ): Promise<Step<Event> | undefined> {
    let at = 0;
    let acted = 0;
    for (const step of steps) {
      signal.throwIfAborted();
      if (step.act) {
        at = acted = this.#events.length;
        await step.act();
      }
      const { until, within } = step;
      const found = until ? await this.#find({ until, within }, step.isBeside ? acted : at, signal) : at - 1;
      if (found === undefined) return step;
      at = Math.max(at, found + 1);
      onStep(step);
    }
    return undefined;
  }

  /** Where the event stands that a step waits for. */
  #find(
    { until, within }: Required<Pick<Step<Event>, "until" | "within">>,
    from: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    let next = from;
    const look = () => {
      while (next < this.#events.length) {
        const event = this.#events[next];
        if (event !== undefined && until(event)) return next;
        next++;
      }
      return undefined;
    };
    return new Promise((resolve, reject) => {
      const over = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        this.#onEvent = () => {};
      };
      const done = (found: number | undefined) => {
        over();
        resolve(found);
      };
      const onAbort = () => {
        over();
        reject(signal.reason);
      };
      const timer = setTimeout(() => done(undefined), within);
      signal.addEventListener("abort", onAbort);
      this.#onEvent = () => {
        const found = look();
        if (found !== undefined) done(found);
      };
      this.#onEvent();
    });
  }
}
