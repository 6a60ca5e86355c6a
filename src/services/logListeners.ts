/**
 * Who listens to which log: asked of the router for each topic once (`wamp.subscription.match`), then followed by its own
 * events (`on_create`, `on_delete`), prefix and wildcard subscriptions included.
 *
 * A link that breaks says nothing about listeners: they may be there still, or come back a little later. A topic that was
 * heard is `cut` then, and `unheard` only when nobody has come back to it for a while on the next link.
 */
import { type Ms, seconds } from "../model/duration.ts";
import { covers } from "../model/wamp.ts";
import type { RequestError } from "./wampCauses.ts";
import type { Session } from "./wampSession.ts";

/** cut: nobody knows, since there is no link, or those who listened are not back yet. */
export type Hearing = "heard" | "unheard" | "cut";

type Asked = Pick<Session, "call" | "subscribe" | "over">;

export interface LogListenersOptions {
  /** A router that tells nobody who listens: everything is published then. */
  readonly onBlind?: (error: unknown) => void;
  /** How long those who listened before the link broke may take to come back. Default is 60 s. */
  readonly grace?: Ms;
}

interface Topic {
  readonly uri: string;
  readonly onChange: (hearing: Hearing) => void;
  readonly ids: Set<number>;
  hearing: Hearing;
  wasHeard: boolean;
  timer?: NodeJS.Timeout | undefined;
}

const MATCH = "wamp.subscription.match";
const CREATED = "wamp.subscription.on_create";
const DELETED = "wamp.subscription.on_delete";

export class LogListeners {
  readonly #options: LogListenersOptions;
  readonly #topics = new Set<Topic>();
  #session: Asked | undefined;
  #isBlind = false;
  /** Subscriptions that ended on this link; an answer that was under way may still name them. */
  #deleted = new Set<number>();

  constructor(options: LogListenersOptions = {}) {
    this.#options = options;
  }

  /**
   * Tells `onChange` whenever it changes; begins with `cut`.
   *
   * @param wasHeard somebody listened when the last process ended.
   */
  watch(uri: string, wasHeard: boolean, onChange: (hearing: Hearing) => void): () => void {
    const topic: Topic = { uri, onChange, ids: new Set(), hearing: "cut", wasHeard };
    this.#topics.add(topic);
    if (this.#session) void this.#match(this.#session, topic);
    return () => {
      clearTimeout(topic.timer);
      this.#topics.delete(topic);
    };
  }

  /** A fresh session. It ends by itself. */
  async attach(session: Asked): Promise<void> {
    this.#deleted = new Set();
    this.#isBlind = false;
    session.over.addEventListener("abort", () => this.#session === session && this.#detach());
    try {
      await Promise.all([
        session.subscribe(CREATED, ([, about]) => this.#created(session, about)),
        session.subscribe(DELETED, ([, id]) => this.#ended(session, Number(id))),
      ]);
    } catch (error) {
      this.#blind(error);
    }
    if (session.over.aborted) return;
    this.#session = session;
    await Promise.all([...this.#topics].map((topic) => this.#match(session, topic)));
  }

  #detach(): void {
    this.#session = undefined;
    for (const topic of this.#topics) {
      topic.ids.clear();
      clearTimeout(topic.timer);
      this.#tell(topic, "cut");
    }
  }

  async #match(session: Asked, topic: Topic): Promise<void> {
    if (this.#isBlind) return this.#tell(topic, "heard");
    try {
      const { args } = await session.call(MATCH, [topic.uri]);
      if (session !== this.#session) return;
      for (const id of idsIn(args[0])) if (!this.#deleted.has(id)) topic.ids.add(id);
      this.#judge(topic);
    } catch (error) {
      if (session.over.aborted) return;
      this.#blind(error);
      this.#tell(topic, "heard");
    }
  }

  /** It is said once on each link. A router that is only slow is taken for blind too: lines go out rather than not. */
  #blind(error: unknown): void {
    if (!this.#isBlind && (error as RequestError).code !== "link_lost") this.#options.onBlind?.(error);
    this.#isBlind = true;
  }

  #created(session: Asked, about: unknown): void {
    const { id, uri, match } = (about ?? {}) as { id?: unknown; uri?: unknown; match?: unknown };
    if (session.over.aborted || typeof id !== "number" || typeof uri !== "string") return;
    for (const topic of this.#topics) {
      if (!covers(uri, String(match ?? "exact"), topic.uri)) continue;
      topic.ids.add(id);
      this.#judge(topic);
    }
  }

  #ended(session: Asked, id: number): void {
    if (session.over.aborted) return;
    this.#deleted.add(id);
    for (const topic of this.#topics) if (topic.ids.delete(id) && topic.ids.size === 0) this.#tell(topic, "unheard");
  }

  #judge(topic: Topic): void {
    clearTimeout(topic.timer);
    if (this.#isBlind || topic.ids.size > 0) return this.#tell(topic, "heard");
    if (!topic.wasHeard || topic.hearing === "unheard") return this.#tell(topic, "unheard");
    topic.timer = setTimeout(() => this.#tell(topic, "unheard"), this.#options.grace ?? seconds(60));
  }

  #tell(topic: Topic, hearing: Hearing): void {
    if (hearing !== "cut") topic.wasHeard = hearing === "heard";
    if (hearing === "cut" && topic.hearing === "unheard") return;
    if (topic.hearing === hearing) return;
    topic.hearing = hearing;
    topic.onChange(hearing);
  }
}

/** Routers answer with a list, with null, or (old ones) with one id. */
const idsIn = (answer: unknown): number[] =>
  (Array.isArray(answer) ? answer : [answer]).filter((id): id is number => typeof id === "number");
