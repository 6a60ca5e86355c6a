/**
 * A socket in front of the engine's: it writes down what is asked, and does harm on demand. Everything that no rule is about
 * passes as it is.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

export interface Asked {
  readonly method: string;
  /** Without the version of the API and the query. */
  readonly path: string;
  readonly query: string;
  /** JSON, if it was some. */
  readonly body: unknown;
}

/** refuse: answer so and do nothing. hold: wait for `release`, then do it. cut: break the connection, do nothing. */
export type Harm = { readonly refuse: number; readonly says?: string } | "hold" | "cut";

export interface Rule {
  /** Resolves when the first call that it is about has come. */
  readonly arrived: Promise<void>;
  /** Lets go what is held, and what comes later. */
  release(): void;
}

/** Where somebody is killed: at the nth call that changes something, before the engine hears of it or after it has done it. */
export interface CrashPoint {
  readonly at: number;
  readonly side: "before" | "after";
  readonly kill: () => Promise<unknown>;
}

interface Active {
  readonly pattern: RegExp;
  readonly harm: Harm;
  readonly arrive: () => void;
  readonly released: Promise<void>;
}

export class EngineProxy {
  readonly asked: Asked[] = [];
  readonly path: string;
  readonly #rules = new Set<Active>();
  readonly #target: string;
  #crash: (CrashPoint & { readonly from: number; readonly resolve: (call: string) => void }) | undefined;
  readonly #server = createServer((question, answer) => {
    this.#serve(question, answer).catch(() => answer.destroy());
  });

  constructor(path: string, target: string) {
    this.path = path;
    this.#target = target;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
    return this;
  }

  /** `pattern` is matched with `POST /containers/create`. */
  on(pattern: RegExp, harm: Harm): Rule {
    const [arrived, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const rule: Active = { pattern, harm, arrive: arrived.resolve, released: released.promise };
    this.#rules.add(rule);
    const release = () => {
      this.#rules.delete(rule);
      released.resolve();
    };
    return { arrived: arrived.promise, release };
  }

  /** Kills at the nth change from now on, once. Resolves with that call's name when it has happened. */
  crashAt(point: CrashPoint): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#crash = { ...point, from: this.mutations().length, resolve };
    return promise;
  }

  /** What changes something, as `POST /containers/create`, ids left out. */
  mutations(): string[] {
    return this.asked
      .filter(({ method, path }) => method !== "GET" && !path.endsWith("/wait"))
      .map(({ method, path }) => `${method} ${path.replace(/[0-9a-f]{64}/, "<id>")}`);
  }

  close(): void {
    for (const rule of this.#rules) rule.harm === "hold" && this.#rules.delete(rule);
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of question) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = "", url = "" } = question;
    const [whole = "", query = ""] = url.split("?");
    const path = whole.replace(/^\/v[\d.]+/, "");
    this.asked.push({ method, path, query: decodeURIComponent(query), body: parsed(body) });
    const crash = this.#crash;
    if (crash && method !== "GET" && this.mutations().length === crash.from + crash.at) {
      this.#crash = undefined;
      if (crash.side === "after") await this.#pass(question, body, undefined);
      await crash.kill();
      crash.resolve(this.mutations().at(-1) ?? "");
      return void question.socket.destroy();
    }
    const rule = [...this.#rules].find(({ pattern }) => pattern.test(`${method} ${path}`));
    rule?.arrive();
    if (rule?.harm === "cut") return void question.socket.destroy();
    if (rule?.harm === "hold") await rule.released;
    else if (rule) return refuse(answer, rule.harm);
    await this.#pass(question, body, answer);
  }

  /** Resolves when the engine has answered whole; without an answer nobody hears of it. */
  #pass(question: IncomingMessage, body: Buffer, answer: ServerResponse | undefined): Promise<void> {
    const { method, url, headers } = question;
    const { promise, resolve } = Promise.withResolvers<void>();
    const up = request({ socketPath: this.#target, method, path: url, headers }, (reply) => {
      reply.on("close", () => resolve());
      if (!answer) return void reply.resume();
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      answer.flushHeaders();
      reply.pipe(answer);
      reply.on("error", () => answer.destroy());
    });
    up.on("error", () => {
      answer?.destroy();
      resolve();
    });
    answer?.on("close", () => up.destroy());
    up.end(body);
    return promise;
  }
}

function refuse(
  answer: ServerResponse,
  { refuse: status, says = "refused for the test" }: { refuse: number; says?: string },
) {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify({ message: says }));
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return undefined;
  }
}
