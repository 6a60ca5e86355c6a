/**
 * Three queues in front of one socket: control before state before logs, order kept within each.
 *
 * What the socket or the kernel holds, nothing can overtake. So a message is handed over only while less than 64 KiB
 * wait in the socket; and because the kernel alone takes megabytes, state and logs wait also while more than a window of
 * bytes is not proven to be read: a ping that carries the position follows each part of it, its pong proves them.
 */
import { RequestError } from "./wampCauses.ts";
import { SendWindow } from "./wampWindow.ts";

/** In order of rank. Which one a message takes depends on its URI alone, so a topic is never in two of them. */
export const LANES = ["control", "state", "logs"] as const;
export type Lane = (typeof LANES)[number];

const SOCKET_LIMIT = 64 * 1024;
/** Windows of bytes on their way, unproven, with which a lane waits. Control never waits for a proof. */
const WINDOWS: Readonly<Record<Lane, number>> = { control: Number.POSITIVE_INFINITY, state: 2, logs: 1 };
/** Bytes queued above which a message is refused with `lane_full`, and below which `room` lets a producer go on. */
const QUEUE_LIMIT: Readonly<Record<Lane, number>> = { control: 16 << 20, state: 16 << 20, logs: 4 << 20 };
const ROOM = 256 * 1024;

/** The part of the socket that lanes need. */
export interface Outlet {
  isOpen(): boolean;
  /** Bytes handed over that wait in this process. */
  buffered(): number;
  write(text: string): void;
  /** A ping that carries `position`; `proven(position)` is called when its pong comes. */
  mark(position: number): void;
  /** ms that no clock step moves. */
  now(): number;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
}

export class Lanes {
  readonly #outlet: Outlet;
  readonly #queues: Readonly<Record<Lane, Fifo>> = { control: new Fifo(), state: new Fifo(), logs: new Fifo() };
  #waiters: Waiter[] = [];
  readonly #window = new SendWindow();
  #marked = 0;
  #isFinished = false;
  #isSealed = false;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** Queues a message, and hands over what may go. */
  offer(lane: Lane, text: string): void {
    if (this.#isFinished || this.#isSealed) return;
    const bytes = Buffer.byteLength(text);
    const queue = this.#queues[lane];
    if (queue.bytes > 0 && queue.bytes + bytes > QUEUE_LIMIT[lane]) {
      throw new RequestError("lane_full", `${lane}: ${queue.bytes} bytes are waiting`);
    }
    queue.push({ text, bytes });
    this.pump();
  }

  /** To be called when the socket got rid of something. */
  pump(): void {
    for (let queue = this.#next(); queue !== undefined; queue = this.#next()) {
      const { text, bytes } = queue.shift();
      this.#outlet.write(text);
      this.#window.sent(bytes);
      if (this.#window.position - this.#marked >= this.#window.markEvery) this.#mark();
    }
    if (LANES.some((lane) => this.#queues[lane].bytes > 0)) this.#mark();
    this.#wake();
  }

  /** The peer has read everything up to here. */
  proven(position: number): void {
    this.#window.proven(position, this.#outlet.now());
    this.pump();
  }

  queued(lane: Lane): number {
    return this.#queues[lane].bytes;
  }

  hasRoom(lane: Lane): boolean {
    return this.#queues[lane].bytes <= ROOM;
  }

  /** Resolves when a producer may go on; also when the link is over, which the next message then says. */
  room(lane: Lane): Promise<void> {
    return this.#when(() => this.hasRoom(lane));
  }

  /** Resolves when nothing of these lanes is queued any more. */
  drained(...lanes: Lane[]): Promise<void> {
    return this.#when(() => lanes.every((lane) => this.#queues[lane].bytes === 0));
  }

  /** GOODBYE: what is queued is forgotten, this goes out as soon as the socket takes it, and nothing more is taken. */
  finish(text: string): void {
    for (const lane of LANES) this.#queues[lane].clear();
    this.offer("control", text);
    this.#isFinished = true;
  }

  /** The link is over: nobody waits any more. */
  seal(): void {
    this.#isSealed = true;
    for (const lane of LANES) this.#queues[lane].clear();
    this.#wake();
  }

  /** Also whenever something is held back: the proof that lets it go must have been asked for. */
  #mark(): void {
    const { position } = this.#window;
    if (position === this.#marked) return;
    this.#marked = position;
    this.#window.marked(this.#outlet.now());
    this.#outlet.mark(position);
  }

  #next(): Fifo | undefined {
    if (!this.#outlet.isOpen() || this.#outlet.buffered() >= SOCKET_LIMIT) return undefined;
    const { unproven, bytes } = this.#window;
    const lane = LANES.find((name) => this.#queues[name].bytes > 0 && unproven < WINDOWS[name] * bytes);
    return lane && this.#queues[lane];
  }

  #when(isDone: () => boolean): Promise<void> {
    if (this.#isSealed || isDone()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ isDone, resolve }));
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter(({ isDone }) => this.#isSealed || isDone());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

interface Item {
  readonly text: string;
  readonly bytes: number;
}

/** A queue whose `shift` does not move the rest. */
class Fifo {
  bytes = 0;
  #items: (Item | undefined)[] = [];
  #head = 0;

  push(item: Item): void {
    this.#items.push(item);
    this.bytes += item.bytes;
  }

  shift(): Item {
    const item = this.#items[this.#head];
    if (item === undefined) throw new RangeError("the queue is empty");
    this.#items[this.#head++] = undefined;
    if (this.#head > 1_000 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    this.bytes -= item.bytes;
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
