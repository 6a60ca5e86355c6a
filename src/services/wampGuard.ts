/**
 * What the router says, before autobahn hears it. autobahn drops the whole link on any answer it does not expect, a late
 * one too, and throws on a malformed one; so only messages that it can digest reach it.
 */
import { CODE } from "../model/wamp.ts";
import { type Cause, cause, isReason } from "./wampCauses.ts";

/** drop: late or for nobody, and harmless. reply: answered here. */
export type Verdict =
  | { readonly do: "pass" | "drop" }
  | { readonly do: "interrupt"; readonly request: number }
  | { readonly do: "reply"; readonly message: unknown[] }
  | { readonly do: "end"; readonly cause: Cause };

const PASS: Verdict = { do: "pass" };
const DROP: Verdict = { do: "drop" };
const ends = (because: string, detail: string): Verdict => ({ do: "end", cause: cause("protocol", because, detail) });
const nonsense = (detail: string): Verdict => ends("protocol_violation", detail);

/** Answer -> the request it belongs to. */
const ANSWERS: Readonly<Record<number, number>> = {
  [CODE.published]: CODE.publish,
  [CODE.subscribed]: CODE.subscribe,
  [CODE.unsubscribed]: CODE.unsubscribe,
  [CODE.result]: CODE.call,
  [CODE.registered]: CODE.register,
  [CODE.unregistered]: CODE.unregister,
};

const ASKS = new Set(Object.values(ANSWERS));

type Dict = Record<string, unknown>;
const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;
const arePayload = (args: unknown, kwargs: unknown): boolean =>
  (args === undefined || args === null || Array.isArray(args)) &&
  (kwargs === undefined || kwargs === null || isDict(kwargs));

interface Pending {
  readonly type: number;
  /** The procedure of a REGISTER or CALL; the id that an UNREGISTER or UNSUBSCRIBE is about. */
  readonly about: unknown;
}

export class Guard {
  readonly #method: string;
  #stage: "helloing" | "challenged" | "joined" | "left" = "helloing";
  readonly #pending = new Map<number, Pending>();
  readonly #registrations = new Map<number, string>();
  readonly #subscriptions = new Set<number>();
  readonly #invocations = new Map<number, string>();

  /** `method`: the only authentication method that was offered, hence the only one that is answered. */
  constructor(method: string) {
    this.#method = method;
  }

  get isJoined(): boolean {
    return this.#stage === "joined";
  }

  /** Notes what goes out. False: it must not, because its invocation is over. */
  sent(message: readonly unknown[]): boolean {
    const [type, request, options] = message as [number, number, unknown];
    if (type === CODE.yield) return this.#answered(request, isDict(options) && options["progress"] === true);
    if (type === CODE.error) return this.#answered(Number(options), false);
    if (type === CODE.publish && !(isDict(options) && options["acknowledge"])) return true;
    const about = type === CODE.unregister || type === CODE.unsubscribe ? options : message[3];
    if (ASKS.has(type)) this.#pending.set(request, { type, about });
    return true;
  }

  /** The procedure that an answer to an invocation is about. */
  procedureOf(invocation: number): string | undefined {
    return this.#invocations.get(invocation);
  }

  /** The procedure of a call that waits for its result. */
  calledBy(request: number): string | undefined {
    const pending = this.#pending.get(request);
    return pending?.type === CODE.call ? String(pending.about) : undefined;
  }

  /** A request that nobody waits for any more: its answer will be dropped. */
  forget(request: number): void {
    this.#pending.delete(request);
  }

  received(message: unknown): Verdict {
    if (!Array.isArray(message) || typeof message[0] !== "number") return nonsense("not a WAMP message");
    if (this.#stage === "left") return DROP;
    if (this.#stage !== "joined") return this.#beforeWelcome(message);
    const [type, second, third] = message as [number, unknown, unknown];
    if (type in ANSWERS) return this.#answer(message);
    if (type === CODE.error) return this.#error(message);
    if (type === CODE.event) return this.#event(message);
    if (type === CODE.invocation) return this.#invocation(message);
    if (type === CODE.interrupt) return this.#interrupt(Number(second));
    if (type === CODE.goodbye) return this.#goodbye(second, third);
    if (type === CODE.abort) return this.#aborted(second, third);
    if (type === CODE.challenge) return DROP;
    return nonsense(`message type ${type}`);
  }

  #beforeWelcome(message: readonly unknown[]): Verdict {
    const [type, second, third] = message;
    if (type === CODE.abort) return isDict(second) && isReason(third) ? PASS : nonsense("ABORT");
    if (type === CODE.challenge) return this.#challenged(second, third);
    if (type !== CODE.welcome) return nonsense(`message type ${String(type)} before WELCOME`);
    if (this.#stage === "helloing") return ends("auth_downgrade", "WELCOME without a challenge");
    return this.#welcome(second, third);
  }

  #challenged(method: unknown, extra: unknown): Verdict {
    if (this.#stage === "challenged") return DROP;
    if (method !== this.#method) return ends("auth_method_changed", `${String(method).slice(0, 40)} was not offered`);
    this.#stage = "challenged";
    return isDict(extra) ? PASS : nonsense("CHALLENGE");
  }

  #welcome(id: unknown, details: unknown): Verdict {
    if (!isId(id) || !isDict(details) || !isDict(details["roles"])) return nonsense("WELCOME");
    const method = details["authmethod"];
    if (method !== undefined && method !== this.#method)
      return ends("auth_method_changed", String(method).slice(0, 40));
    this.#stage = "joined";
    return PASS;
  }

  #goodbye(details: unknown, reason: unknown): Verdict {
    if (!isDict(details) || !isReason(reason)) return nonsense("GOODBYE");
    this.#stage = "left";
    return PASS;
  }

  #aborted(details: unknown, reason: unknown): Verdict {
    return isReason(reason) ? { do: "end", cause: cause("goodbye", reason, messageIn(details)) } : nonsense("ABORT");
  }

  #answer(message: readonly unknown[]): Verdict {
    const [type, request, third] = message as [number, unknown, unknown];
    if (request === 0) return this.#revoked(type, third);
    const pending = this.#pending.get(Number(request));
    if (pending === undefined || pending.type !== ANSWERS[type]) return DROP;
    const isFine =
      type === CODE.result ? isDict(third) && arePayload(message[3], message[4]) : this.#noted(message, pending);
    if (!isFine) return nonsense(`an answer of type ${type}`);
    const isProgress = type === CODE.result && isDict(third) && Boolean(third["progress"]);
    if (!isProgress) this.#pending.delete(Number(request));
    return PASS;
  }

  /** Which registrations and subscriptions there are now. False: the answer lacks its id. */
  #noted([type, , id]: readonly unknown[], { about }: Pending): boolean {
    if (type === CODE.unregistered) this.#registrations.delete(Number(about));
    if (type === CODE.unsubscribed) this.#subscriptions.delete(Number(about));
    if (type !== CODE.registered && type !== CODE.subscribed) return true;
    if (!isId(id)) return false;
    if (type === CODE.registered) this.#registrations.set(id, String(about));
    else this.#subscriptions.add(id);
    return true;
  }

  /** UNREGISTERED or UNSUBSCRIBED that nobody asked for. */
  #revoked(type: number, details: unknown): Verdict {
    if (!isDict(details)) return nonsense("a revocation");
    if (type === CODE.unregistered) return this.#registrations.delete(Number(details["registration"])) ? PASS : DROP;
    if (type === CODE.unsubscribed) return this.#subscriptions.delete(Number(details["subscription"])) ? PASS : DROP;
    return DROP;
  }

  #error(message: readonly unknown[]): Verdict {
    const [, type, request, , uri, args, kwargs] = message;
    if (typeof uri !== "string" || !arePayload(args, kwargs)) return nonsense("ERROR");
    if (this.#pending.get(Number(request))?.type !== type) return DROP;
    this.#pending.delete(Number(request));
    return PASS;
  }

  #event(message: readonly unknown[]): Verdict {
    const [, subscription, , details, args, kwargs] = message;
    if (!isDict(details) || !arePayload(args, kwargs)) return nonsense("EVENT");
    return this.#subscriptions.has(Number(subscription)) ? PASS : DROP;
  }

  #invocation(message: readonly unknown[]): Verdict {
    const [, request, registration, details, args, kwargs] = message;
    if (!isId(request) || !isDict(details) || !arePayload(args, kwargs)) return nonsense("INVOCATION");
    const procedure = this.#registrations.get(Number(registration));
    if (procedure === undefined || this.#invocations.has(request)) {
      return { do: "reply", message: [CODE.error, CODE.invocation, request, {}, "wamp.error.no_such_procedure"] };
    }
    const called = details["procedure"];
    this.#invocations.set(request, typeof called === "string" && called !== "" ? called : procedure);
    return PASS;
  }

  #interrupt(request: number): Verdict {
    return this.#invocations.has(request) ? { do: "interrupt", request } : DROP;
  }

  #answered(invocation: number, isProgress: boolean): boolean {
    return isProgress ? this.#invocations.has(invocation) : this.#invocations.delete(invocation);
  }
}

function messageIn(details: unknown): string {
  return isDict(details) && typeof details["message"] === "string" ? details["message"].slice(0, 300) : "";
}
