/**
 * The autobahn transport: one socket, its lanes and its guard. JSON only.
 * A message that cannot be sent fails its own request, never the link.
 */
import type { Transport } from "autobahn";
import { CODE } from "../model/wamp.ts";
import { type Cause, cause, RequestError } from "./wampCauses.ts";
import { Guard } from "./wampGuard.ts";
import { type Lane, Lanes } from "./wampLanes.ts";
import { Socket, type SocketOptions } from "./wampSocket.ts";
import { encode } from "./wampText.ts";

export interface TransportOptions extends SocketOptions {
  /** The one authentication method that is offered. */
  readonly method: string;
  /** The lane of a topic or procedure. Must always answer the same for the same URI. */
  readonly laneOf: (uri: string) => Lane;
  /** Sent in HELLO. */
  readonly agent: string;
  /** Default is 4 MiB; routers may cut the link above their own limit. */
  readonly maxOutgoing?: number;
  /** Once, after autobahn has been told. */
  readonly onEnd: (cause: Cause) => void;
  /** A message that was for nobody: late, or a duplicate. */
  readonly onDropped?: (type: number) => void;
}

/** What runs in the callee for one INVOCATION. */
interface Running {
  readonly request: number;
  readonly controller: AbortController;
}

export class LaneTransport implements Transport {
  readonly info: Transport["info"];
  onopen: Transport["onopen"] = () => {};
  onmessage: Transport["onmessage"] = () => {};
  onclose: Transport["onclose"] = () => {};
  readonly #options: TransportOptions;
  readonly #maxOutgoing: number;
  readonly #socket: Socket;
  readonly #lanes: Lanes;
  readonly #guard: Guard;
  readonly #running = new Map<number, AbortController>();
  #beingInvoked: Running | undefined;
  #lastRequest = 0;
  #isOver = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#maxOutgoing = options.maxOutgoing ?? 4 << 20;
    this.#guard = new Guard(options.method);
    this.info = { type: "lanes", url: options.url, protocol: "wamp.2.json" };
    this.#socket = new Socket(options, {
      onOpen: () => this.#safely(() => this.onopen()),
      onText: (text) => this.#received(text),
      onTooLarge: (head, bytes) => this.#tooLarge(head, bytes),
      onFlushed: () => this.#lanes.pump(),
      onProven: (position) => this.#lanes.proven(position),
      onClose: (why, code) => this.#closed(why, code),
    });
    this.#lanes = new Lanes({
      isOpen: () => this.#socket.isOpen,
      buffered: () => this.#socket.buffered,
      write: (text) => this.#socket.write(text),
      mark: (position) => this.#socket.mark(position),
      now: () => performance.now(),
    });
  }

  /** For the endpoint that autobahn is calling right now: it calls it within `onmessage`. */
  get invocationSignal(): AbortSignal {
    return this.#beingInvoked?.controller.signal ?? AbortSignal.abort();
  }

  /** The id of the request that went through `send` last. */
  get lastRequest(): number {
    return this.#lastRequest;
  }

  get lanes(): Lanes {
    return this.#lanes;
  }

  send(message: unknown[]): void {
    if (this.#isOver) return;
    try {
      this.#send(message[0] === CODE.hello ? announce(message, this.#options.agent) : message);
    } catch (error) {
      if (!(error instanceof RequestError)) return this.fail(cause("ours", "internal", String(error)));
      this.#refuse(message, error);
    }
  }

  /** autobahn calls it when the router has left or sent us away, and on what it takes for a violation. */
  close(code?: number, reason?: string): void {
    if (code !== undefined && code > 3000) return this.fail(cause("protocol", "protocol_violation", reason));
    this.#socket.close(cause("wamp", "closed", reason));
  }

  /** Ends the link now. The first cause counts. */
  fail(why: Cause): void {
    this.#socket.fail(why);
  }

  /** Settles a call that the router may never answer: autobahn hears of its end, later answers are dropped. */
  settleCall(request: number, error: string): void {
    if (this.#isOver || !this.#guard.isJoined || this.#guard.calledBy(request) === undefined) return;
    this.#guard.forget(request);
    this.#tell([CODE.error, CODE.call, request, {}, error]);
  }

  #send(message: readonly unknown[]): void {
    const [type, request] = message as [number, number];
    if (type === CODE.call || type === CODE.publish) this.#lastRequest = request;
    const lane = this.#laneOf(message);
    const text = encode(message);
    if (text.length > this.#maxOutgoing || Buffer.byteLength(text) > this.#maxOutgoing) {
      throw new RequestError("message_too_big", `${text.length} characters, at most ${this.#maxOutgoing} bytes`);
    }
    if (this.#isAnswer(message)) this.#running.delete(Number(type === CODE.yield ? request : message[2]));
    if (!this.#guard.sent(message)) return;
    if (type === CODE.goodbye) this.#lanes.finish(text);
    else this.#lanes.offer(lane, text);
  }

  #laneOf(message: readonly unknown[]): Lane {
    const uri = this.#uriOf(message);
    return uri === undefined ? "control" : this.#options.laneOf(uri);
  }

  /** The topic or procedure that a message is about; a cancel goes the way of its call, an answer that of its procedure. */
  #uriOf([type, request, third, fourth]: readonly unknown[]): string | undefined {
    if (type === CODE.publish || type === CODE.call) return String(fourth);
    if (type === CODE.cancel) return this.#guard.calledBy(Number(request));
    if (type === CODE.yield) return this.#guard.procedureOf(Number(request));
    return type === CODE.error ? this.#guard.procedureOf(Number(third)) : undefined;
  }

  #isAnswer([type, , options]: readonly unknown[]): boolean {
    return type === CODE.error || (type === CODE.yield && !(options as { progress?: boolean }).progress);
  }

  /** The request that could not be sent gets its error; an answer that could not be sent becomes one. */
  #refuse(message: unknown[], error: RequestError): void {
    const [type, request, options] = message as [number, number, { acknowledge?: boolean } | undefined];
    const words = [error.code, error.message];
    if (type === CODE.call) return this.#tell([CODE.error, type, request, {}, LOCAL_ERROR, words]);
    if (type === CODE.publish && options?.acknowledge)
      return this.#tell([CODE.error, type, request, {}, LOCAL_ERROR, words]);
    if (type === CODE.publish) throw error;
    if (type !== CODE.yield && type !== CODE.error) return this.fail(cause("ours", error.code, error.message));
    const invocation = type === CODE.yield ? request : Number(options);
    this.send([CODE.error, CODE.invocation, invocation, {}, INVALID, [error.message]]);
  }

  #received(text: string): void {
    if (this.#isOver) return;
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      return this.fail(cause("protocol", "bad_json", `${text.length} characters`));
    }
    const verdict = this.#guard.received(message);
    switch (verdict.do) {
      case "pass":
        return this.#tell(message as unknown[]);
      case "drop":
        return this.#options.onDropped?.(Number((message as unknown[])[0]));
      case "reply":
        return this.#lanes.offer("control", encode(verdict.message));
      case "interrupt":
        return this.#running.get(verdict.request)?.abort();
      case "end":
        return this.fail(verdict.cause);
    }
  }

  /** It is the end of the request that it belongs to, and of nothing else. */
  #tooLarge(head: string, bytes: number): void {
    if (this.#isOver) return;
    const [, type, second, third] = /^\[(\d+),(\d+)(?:,(\d+))?/.exec(head.replaceAll(/\s/g, "")) ?? [];
    const words = `${bytes} bytes came, too many`;
    const request = Number(type) === CODE.error ? Number(third) : Number(second);
    if (Number(type) === CODE.event) return this.#options.onDropped?.(CODE.event);
    if (Number(type) === CODE.invocation)
      return this.#lanes.offer("control", encode([CODE.error, CODE.invocation, request, {}, INVALID, [words]]));
    if (this.#guard.calledBy(request) === undefined) return this.fail(cause("protocol", "frame_too_big", words));
    this.#guard.forget(request);
    this.#tell([CODE.error, CODE.call, request, {}, LOCAL_ERROR, ["message_too_big", words]]);
  }

  #tell(message: unknown[]): void {
    if (message[0] === CODE.invocation) {
      const controller = new AbortController();
      this.#running.set(Number(message[1]), controller);
      this.#beingInvoked = { request: Number(message[1]), controller };
    }
    this.#safely(() => this.onmessage(message));
    this.#beingInvoked = undefined;
  }

  /** A throw in autobahn, or in what it calls, ends the link with a cause, not the process. */
  #safely(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(cause("ours", "internal", String(error)));
    }
  }

  #closed(why: Cause, code: number): void {
    this.#isOver = true;
    this.#lanes.seal();
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.#safely(() => this.onclose({ code, reason: why.because, wasClean: code === 1000 }));
    this.#options.onEnd(why);
  }
}

const INVALID = "wamp.error.invalid_argument";

/** The error URI of a request that failed on this side; its arguments are a code and a sentence. */
export const LOCAL_ERROR = "reagent.local_error";

/** autobahn announces no `call_canceling` for the callee, though this transport can do it; nexus then gives no progress. */
function announce([type, realm, details]: readonly unknown[], agent: string): unknown[] {
  const { roles, ...rest } = details as { roles: Record<string, { features: object }> };
  const callee = { features: { ...roles["callee"]?.features, call_canceling: true } };
  return [type, realm, { ...rest, agent, roles: { ...roles, callee } }];
}
