/** A heap of (cost, item); equal costs leave in the order in which they came, so that no result depends on luck. */

interface Entry {
  readonly cost: number;
  readonly turn: number;
  readonly item: number;
}

export class Heap {
  readonly #entries: Entry[] = [];
  #turn = 0;

  push(cost: number, item: number): void {
    const entry = { cost, turn: this.#turn++, item };
    let i = this.#entries.length;
    for (; i > 0; i = (i - 1) >> 1) {
      const above = this.#entries[(i - 1) >> 1];
      if (!above || !isBefore(entry, above)) break;
      this.#entries[i] = above;
    }
    this.#entries[i] = entry;
  }

  pop(): number | undefined {
    const top = this.#entries[0];
    const tail = this.#entries.pop();
    if (tail && this.#entries.length > 0) this.#sink(tail);
    return top?.item;
  }

  /** From the top to where it belongs. */
  #sink(entry: Entry): void {
    let i = 0;
    for (;;) {
      const [left, right] = [this.#entries[2 * i + 1], this.#entries[2 * i + 2]];
      const isRight = left && right && isBefore(right, left);
      const least = isRight ? right : left;
      if (!least || isBefore(entry, least)) break;
      this.#entries[i] = least;
      i = 2 * i + (isRight ? 2 : 1);
    }
    this.#entries[i] = entry;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.cost < b.cost || (a.cost === b.cost && a.turn < b.turn);
