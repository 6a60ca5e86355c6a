/**
 * Numbered lines under everything that happens: links that are cut, an agent that is killed, containers that are killed and
 * restarted. Each line comes once, in order, or its loss is told. For so many seconds, on all routers side by side: PROVE, default 60.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { programOf } from "../../scripts/routers.mjs";
import { ask } from "../../src/services/controlClient.ts";
import type { RouterChoice } from "../../src/studio/studioRouters.ts";
import { dial } from "../support/link.ts";
import { goes, hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const SECONDS = Number(process.env["PROVE"] ?? 60);
/** 500 lines/s; each run has a name of its own, and keeps how many it has printed. */
const NUMBERED = [
  "trap 'exit 0' TERM; run=$(busybox cat /proc/sys/kernel/random/uuid); n=0",
  'while true; do busybox awk -v r=$run -v a=$n \'BEGIN { for (i = a; i < a + 50; i++) print "#" r " " i }\'',
  "n=$((n+50)); echo $n > /data/$run; sleep 0.1; done",
].join("; ");

/** A line of a run, or so many that are told to be missing. */
type Heard = { readonly run: string; readonly n: number } | { readonly told: string };

class Subscriber {
  readonly heard: Heard[] = [];
  lines = 0;
  #more: { readonly at: number; readonly resolve: () => void } | undefined;

  /** Resolves when so many lines more have come. */
  more(lines: number): Promise<void> {
    return new Promise((resolve) => {
      this.#more = { at: this.lines + lines, resolve };
    });
  }

  readonly take = ([message]: unknown[]): void => {
    if (typeof message !== "string") return;
    for (const line of message.split("\n")) this.#take(line);
    if (this.#more && this.lines >= this.#more.at) this.#more.resolve();
  };

  #take(line: string): void {
    const [, run, n] = /^#(\S+) (\d+)$/.exec(line) ?? [];
    if (run !== undefined) this.lines++;
    if (run !== undefined) this.heard.push({ run, n: Number(n) });
    else if (line.startsWith("…")) this.heard.push({ told: line });
  }
}

/** Walks through what was heard: what came twice or late, and what is missing where not so many were told to be. */
class Judge {
  readonly wrong: string[] = [];
  missing = 0;
  unconfirmed = 0;
  /** The next number of each run. */
  readonly next = new Map<string, number>();
  readonly #printed: ReadonlyMap<string, number>;
  #run = "";
  #told = 0;

  constructor(printed: ReadonlyMap<string, number>) {
    this.#printed = printed;
  }

  hear(each: Heard): void {
    if ("told" in each) this.#told += Number(/^… (\d+) .* \(unconfirmed when/.exec(each.told)?.[1] ?? Number.NaN);
    else this.#line(each.run, each.n);
  }

  #line(run: string, n: number): void {
    const expected = this.next.get(run) ?? 0;
    const gone = n - expected + (run === this.#run ? 0 : this.#left(this.#run));
    if (n < expected) this.wrong.push(`${run} ${n} comes again`);
    if (!(gone <= this.#told)) this.wrong.push(`${gone} missing before ${run} ${n}, ${this.#told} told`);
    this.missing += Math.max(gone, 0);
    this.unconfirmed += this.#told;
    this.next.set(run, n + 1);
    [this.#run, this.#told] = [run, 0];
  }

  /** Lines of a run that is over, which did not come. */
  #left(run: string): number {
    return Math.max((this.#printed.get(run) ?? 0) - (this.next.get(run) ?? 0), 0);
  }

  end(): void {
    for (const [run, count] of this.#printed)
      if (!this.next.has(run) && count > 0) this.wrong.push(`nothing of ${run}, ${count} lines`);
  }
}

async function listenTo(s: Stage, subscriber: Subscriber): Promise<() => Promise<void>> {
  const { authid, secret } = s.operator();
  const line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  const session = await line.joined;
  await session.subscribe(`reswarm.logs.${s.identity.serial_number}.${s.container}`, subscriber.take);
  return async () => {
    session.close();
    await line.end;
  };
}

const printed = (s: Stage): ReadonlyMap<string, number> => {
  const folder = join(s.home, "apps/prod/weather");
  return new Map(
    readdirSync(folder).flatMap((name) =>
      /^[0-9a-f-]{36}$/.test(name) ? [[name, Number(readFileSync(join(folder, name), "utf8"))] as const] : [],
    ),
  );
};

const running = (s: Stage) => s.see("it runs", goes(s.app, /^active\.running/), () => s.want("RUNNING"), 60_000);
const HARMS: readonly ((s: Stage, agent: { kill(): Promise<unknown> }) => Promise<unknown>)[] = [
  (s) => s.see("online again", goes("connection", /online$/), () => s.line.cut(), 60_000),
  async (s, agent) => {
    await s.see(
      "the next agent is there",
      isDevice("CONNECTED"),
      async () => {
        await agent.kill();
        Object.assign(agent, s.startAgent());
      },
      60_000,
    );
  },
  async (s) => {
    await s.see("FAILED", hears(s.key, "FAILED"), () => s.engine.stop(s.container, 0), 60_000);
    await running(s);
  },
  async (s) => {
    await s.see("stopped", hears(s.key, "PRESENT"), () => s.want("PRESENT"), 60_000);
    await running(s);
  },
  async (s) => {
    await s.see("the link is gone", goes("connection", /^waiting/), () => s.line.silence(), 60_000);
    // It prints on meanwhile.
    await pause(500);
    await s.see("it crashed", goes(s.app, /^crashed/), () => s.engine.stop(s.container, 0), 60_000);
    const retry = () => ask(join(s.home, "reagent.sock"), "retry", { app: "weather" });
    await s.see("it runs again", goes(s.app, /^active\.running/), retry, 60_000);
    await s.see("online again", goes("connection", /online$/), () => s.line.mend(), 60_000);
  },
  async (s) => {
    s.line.cut();
    await s.see("online again", goes("connection", /online$/), () => s.line.cut(), 60_000);
  },
];

const CHOICES: Readonly<Record<string, () => RouterChoice>> = {
  embedded: () => ({ kind: "embedded" }),
  crossbar: () => ({ kind: "crossbar", program: programOf("crossbar") }),
};

test.concurrent.each(Object.keys(CHOICES))(
  "%s: each line once and in order, or told as unconfirmed",
  async (name) => {
    await using s = await startStage({
      router: CHOICES[name]?.() ?? { kind: "embedded" },
      env: { REAGENT_CONTAINERS_STOP_GRACE: "1" },
    });
    await s.publish("1.0.0", NUMBERED);
    const agent = { ...s.startAgent() };
    await s.see("connected", isDevice("CONNECTED"), () => {});
    const subscriber = new Subscriber();
    const leave = await listenTo(s, subscriber);
    await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
    const until = Date.now() + SECONDS * 1_000;
    for (let n = 0; Date.now() < until; n++) {
      await subscriber.more(300 + ((n * 377) % 700));
      // At any moment between two messages, not always at the one at which one arrives.
      await pause((n * 37) % 190);
      await HARMS[n % HARMS.length]?.(s, agent);
    }
    await s.see("all of it is said", reads("Successfully stopped weather"), () => s.want("PRESENT"), 60_000);
    await leave();
    const judge = new Judge(printed(s));
    for (const each of subscriber.heard) judge.hear(each);
    judge.end();
    const { wrong, missing, unconfirmed, next } = judge;
    process.stdout.write(
      `${name}: ${subscriber.lines} lines of ${next.size} runs, ${missing} missing, ${unconfirmed} told as unconfirmed\n`,
    );
    expect(wrong).toEqual([]);
    expect(subscriber.lines).toBeGreaterThan(SECONDS * 100);
  },
  600_000 + SECONDS * 2_000,
);
