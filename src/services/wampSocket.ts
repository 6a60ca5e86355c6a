/**
 * One WebSocket from dial to closed, with everything that can go wrong turned into one typed cause.
 * It pings, it knows when the peer is dead, it never waits longer than told, and it leaves no timer and no handle.
 */
import type { connect, Socket as TcpSocket } from "node:net";
import WebSocket from "ws";
import { type Cause, cause, causeOf } from "./wampCauses.ts";
import { type DialOptions, type DialStep, dialer } from "./wampDial.ts";

export interface SocketOptions {
  readonly url: string;
  /** TLS and proxy, asked for at the dial. What it throws ends the dial. */
  readonly dial?: () => DialOptions;
  /** DNS, TCP, TLS and the upgrade together. Default is 10 s. */
  readonly dialWithin?: number;
  /** Default is 5 s. */
  readonly pingEvery?: number;
  /** Without a single byte from the peer. Default is 10 s. */
  readonly deadAfter?: number;
  /** For the peer's half of the closing. Default is 1 s. */
  readonly closeWithin?: number;
  /** Bytes of a message. Default is 16 MiB. What is up to twice as large is told by its beginning, more ends the link. */
  readonly maxIncoming?: number;
}

export interface SocketEvents {
  onOpen(): void;
  onText(text: string): void;
  /** A message that is too large: its first characters, and its size. */
  onTooLarge(head: string, bytes: number): void;
  /** The socket got rid of something. */
  onFlushed(): void;
  /** The pong to a `mark`. */
  onProven(position: number): void;
  /** Once, last, never within the call that dials. */
  onClose(cause: Cause, code: number): void;
}

/** How a line is felt that is pinged so often (ms); 0: never, so that only the kernel says when it is dead. */
export function pulse(pingEvery: number): Pick<SocketOptions, "pingEvery" | "deadAfter"> {
  const never = Number.POSITIVE_INFINITY;
  return pingEvery === 0 ? { pingEvery: never, deadAfter: never } : { pingEvery, deadAfter: 2 * pingEvery };
}

const SUBPROTOCOL = "wamp.2.json";
/** Enough of a message to see what it is about. */
const HEAD = 100;

export class Socket {
  readonly #options: Required<SocketOptions>;
  readonly #events: SocketEvents;
  #ws: WebSocket | undefined;
  #tcp: TcpSocket | undefined;
  #cause: Cause | undefined;
  #isClosed = false;
  #dialTimer: NodeJS.Timeout | undefined;
  #pulse: NodeJS.Timeout | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  #seenBytes = 0;
  #seenAt = 0;
  #pulseAt = 0;
  #pingAt = 0;

  constructor(options: SocketOptions, events: SocketEvents) {
    this.#options = {
      dial: () => ({}),
      dialWithin: 10_000,
      pingEvery: 5_000,
      deadAfter: 10_000,
      closeWithin: 1_000,
      maxIncoming: 16 << 20,
      ...options,
    };
    this.#events = events;
    try {
      this.#ws = this.#dial();
    } catch (error) {
      this.#cause = causeOf(error as Error);
      queueMicrotask(() => this.#closed(1006, ""));
    }
  }

  get isOpen(): boolean {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Bytes that were handed over and wait in this process. */
  get buffered(): number {
    return this.#ws?.bufferedAmount ?? 0;
  }

  write(text: string): void {
    this.#ws?.send(text, () => this.#isClosed || this.#events.onFlushed());
  }

  mark(position: number): void {
    this.#ws?.ping(String(position));
  }

  /** Ends it now, without manners. The first cause counts. */
  fail(why: Cause): void {
    this.#cause ??= why;
    this.#ws?.terminate();
  }

  /** Ends it with a Close frame, and without manners if the peer does not answer in time. */
  close(why: Cause): void {
    this.#cause ??= why;
    if (!this.isOpen) return this.#ws?.terminate();
    this.#ws?.close(1000);
    this.#closeTimer ??= setTimeout(() => this.#ws?.terminate(), this.#options.closeWithin);
  }

  #dial(): WebSocket {
    const { url, maxIncoming, dialWithin, dial } = this.#options;
    let step: DialStep = "dns";
    const createConnection = dialer(new URL(url), dial(), (next) => {
      step = next;
    });
    const ws = new WebSocket(url, [SUBPROTOCOL], {
      maxPayload: 2 * maxIncoming,
      perMessageDeflate: false,
      followRedirects: false,
      createConnection: createConnection as unknown as typeof connect,
    });
    this.#dialTimer = setTimeout(
      () => this.fail(cause("deadline", `no_answer_${step}`, `${step}: ${dialWithin} ms`)),
      dialWithin,
    );
    ws.on("error", (error) => {
      this.#cause ??= causeOf(error);
    });
    ws.on("unexpected-response", (_, response) => {
      response.resume();
      this.fail(cause("http", `http_${response.statusCode}`, response.statusMessage));
    });
    ws.on("upgrade", (response) => {
      this.#tcp = response.socket;
    });
    ws.on("open", () => this.#opened());
    ws.on("pong", (data) => {
      if (data.length > 0) this.#events.onProven(Number(data));
    });
    ws.on("message", (data: Buffer, isBinary) => {
      if (this.#isClosed) return;
      if (data.length > maxIncoming) return this.#events.onTooLarge(String(data.subarray(0, HEAD)), data.length);
      if (isBinary) return this.fail(cause("protocol", "protocol_violation", "a binary frame"));
      this.#events.onText(String(data));
    });
    ws.on("close", (code, reason) => this.#closed(code, String(reason)));
    return ws;
  }

  #opened(): void {
    clearTimeout(this.#dialTimer);
    this.#seenAt = this.#pulseAt = this.#pingAt = performance.now();
    this.#pulse = setInterval(() => this.#feelPulse(), this.#beat);
    this.#events.onOpen();
  }

  get #beat(): number {
    return Math.min(500, this.#options.pingEvery / 2);
  }

  /**
   * Any byte is a sign of life: a long message on a slow line is many bytes and no frame. A byte is seen up to a beat after
   * it came, and its absence up to a beat after the time is over; so that time is shorter, and half a beat to spare.
   */
  #feelPulse(): void {
    const now = performance.now();
    const bytes = this.#tcp?.bytesRead ?? 0;
    const wasAsleep = now - this.#pulseAt > this.#options.pingEvery;
    this.#pulseAt = now;
    if (bytes !== this.#seenBytes || wasAsleep) {
      this.#seenBytes = bytes;
      this.#seenAt = now;
    }
    if (now - this.#seenAt >= this.#options.deadAfter - 2.5 * this.#beat) {
      return this.fail(cause("silence", "silent", `nothing came for ${Math.round(now - this.#seenAt)} ms`));
    }
    if (this.isOpen && (wasAsleep || now - this.#pingAt >= this.#options.pingEvery)) {
      this.#pingAt = now;
      this.#ws?.ping();
    }
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#dialTimer);
    clearInterval(this.#pulse);
    clearTimeout(this.#closeTimer);
    this.#events.onClose(this.#cause ?? cause("socket", `closed_${code}`, reason), code);
  }
}
