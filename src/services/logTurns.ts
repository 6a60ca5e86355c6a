/**
 * Who may send the next message of logs: one each, in turn, as soon as the line takes one. So a container that floods holds
 * back no other, and how much goes out is what the socket takes.
 */
export interface LogOutlet {
  /** A message would be taken now. */
  hasRoom(): boolean;
  /** Resolves when it may be; also when the line is gone. */
  room(): Promise<void>;
}

export class LogTurns {
  readonly #outlet: LogOutlet;
  #waiting = new Set<() => void>();
  #isWaiting = false;

  constructor(outlet: LogOutlet) {
    this.#outlet = outlet;
  }

  /** Calls `send` once, in its turn. Asking again before that changes nothing. */
  ask(send: () => void): void {
    this.#waiting.add(send);
    this.#next();
  }

  /** For one that has nothing to say any more. */
  leave(send: () => void): void {
    this.#waiting.delete(send);
  }

  /** One message, and the next one when everything else had its turn: a large one takes a millisecond or two. */
  #next(): void {
    const [send] = this.#waiting;
    if (this.#isWaiting || !send) return;
    if (!this.#outlet.hasRoom()) return this.#wait();
    this.#waiting.delete(send);
    send();
    this.#isWaiting = true;
    setImmediate(() => {
      this.#isWaiting = false;
      this.#next();
    });
  }

  #wait(): void {
    this.#isWaiting = true;
    void this.#outlet.room().then(() => {
      this.#isWaiting = false;
      this.#next();
    });
  }
}
