/**
 * How many bytes may be on their way, unproven, so that what overtakes them waits little: follows the round trip, as LEDBAT
 * does (RFC 6817). A proof that comes as soon as on an empty line lets the window grow by what it proves; one that comes
 * later says that bytes wait somewhere, and shrinks it. So a long fat line is filled, and a thin one has no queue.
 */

/** Waiting time that is aimed at, beside the empty line's own round trip, ms. */
const TARGET = 6;
const LEAST = 4 * 1024;
const MOST = 4 * 1024 * 1024;
const FIRST = 64 * 1024;
/** Proofs of which the fastest counts, so that one slow by chance does no harm. */
const RECENT = 3;
/** Slow proofs in a row at the least window: then it is the line that got longer, not a queue of ours. */
const PATIENCE = 16;

interface Mark {
  readonly position: number;
  readonly at: number;
  /** The window was used up when it was sent: only then does a fast proof say that more would fit. */
  readonly isFull: boolean;
}

export class SendWindow {
  #bytes = FIRST;
  #sent = 0;
  #proven = 0;
  #marks: Mark[] = [];
  #recent: number[] = [];
  #emptyTrip = Number.POSITIVE_INFINITY;
  #slowInARow = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get unproven(): number {
    return this.#sent - this.#proven;
  }

  /** Bytes after which a mark is due: four in a window, but never one for each small message. */
  get markEvery(): number {
    return Math.min(Math.max(this.#bytes / 4, LEAST / 2), 32 * 1024);
  }

  get position(): number {
    return this.#sent;
  }

  sent(bytes: number): void {
    this.#sent += bytes;
  }

  marked(now: number): void {
    this.#marks.push({ position: this.#sent, at: now, isFull: this.unproven >= this.#bytes / 2 });
  }

  /** The peer has read everything up to here. A position that was never marked is nobody's. */
  proven(position: number, now: number): void {
    const index = this.#marks.findIndex((mark) => mark.position === position);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    this.#marks.splice(0, index + 1);
    const bytes = position - this.#proven;
    this.#proven = position;
    this.#follow(bytes, now - mark.at, mark.isFull);
  }

  #follow(bytes: number, trip: number, isFull: boolean): void {
    this.#recent = [...this.#recent.slice(1 - RECENT), trip];
    this.#emptyTrip = Math.min(this.#emptyTrip, trip);
    const aim = TARGET + this.#emptyTrip;
    const waiting = Math.min(...this.#recent) - this.#emptyTrip;
    const off = Math.max((aim - waiting) / aim, -1);
    if (off > 0 && !isFull) return;
    this.#bytes = Math.min(Math.max(this.#bytes + off * bytes, LEAST), MOST);
    this.#slowInARow = off < 0 && this.#bytes === LEAST ? this.#slowInARow + 1 : 0;
    if (this.#slowInARow < PATIENCE) return;
    this.#slowInARow = 0;
    this.#emptyTrip = trip;
  }
}
