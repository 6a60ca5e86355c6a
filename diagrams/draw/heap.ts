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
    let i = this.#entries.push({ cost, turn: this.#turn++, item }) - 1;
    for (; i > 0; i = (i - 1) >> 1) {
      if (!this.#isBefore(i, (i - 1) >> 1)) break;
      this.#swap(i, (i - 1) >> 1);
    }
  }

  pop(): number | undefined {
    const top = this.#entries[0];
    const tail = this.#entries.pop();
    if (!top || !tail) return undefined;
    if (this.#entries.length > 0) this.#entries[0] = tail;
    this.#sink();
    return top.item;
  }

  #sink(): void {
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = this.#isBefore(left, i) ? left : i;
      if (this.#isBefore(right, least)) least = right;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#entries[a], this.#entries[b]];
    if (!x || !y) return false;
    return x.cost < y.cost || (x.cost === y.cost && x.turn < y.turn);
  }

  #swap(a: number, b: number): void {
    const [x, y] = [this.#entries[a], this.#entries[b]];
    if (!x || !y) return;
    this.#entries[a] = y;
    this.#entries[b] = x;
  }
}
