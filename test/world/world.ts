/** A simulated world around the real tree, wired by main.ts: engine, router, back end, disk and clock, all in memory. */
import { createActor } from "xstate";
import type { KnownApp } from "../../src/machines/agentWords.ts";
import { seeStates } from "../../src/machines/observe.ts";
import type { TellInput } from "../../src/machines/reporter.ts";
import { type Services, wire } from "../../src/main.ts";
import {
  type AppId,
  type AppReport,
  type Asker,
  appName,
  type Desired,
  NOTHING_REMEMBERED,
  type WatchFact,
  type WireState,
} from "../../src/model/app.ts";
import { seconds } from "../../src/model/duration.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { LinkFact, LinkOrder } from "../../src/model/link.ts";
import { EFFECTS, type Effect } from "../../src/model/plan.ts";
import { VirtualClock } from "../support/clock.ts";
import { SimEngine } from "../support/engine.ts";
import { SimHost } from "../support/host.ts";

const ANSWERS = {
  "link.claim": "link.claimed",
  "link.testify": "link.testified",
  "link.identify": "link.identified",
  "link.register": "link.registered",
  "link.synchronise": "link.synchronised",
  "link.leave": "link.lost",
} as const;

export class World {
  readonly clock = new VirtualClock();
  readonly engines = new Map<string, SimEngine>();
  readonly host = new SimHost();
  /** What is on disk. */
  readonly disk = new Map<string, KnownApp>();
  untold: readonly AppReport[] = [];
  /** What the back end heard, oldest first. */
  readonly heard: string[] = [];
  readonly known = new Map<string, WireState>();
  /** How many requests of persons there were for each app, and how many of them when a report began that the back end heard. */
  readonly asked = new Map<string, number>();
  readonly answered = new Map<string, number>();
  /** What it heard of how updates ended. */
  readonly ends: string[] = [];
  readonly states = new Map<string, string[]>();
  readonly errors: unknown[] = [];
  isRouterUp = true;
  /** Refuses that many of the next reports. */
  refusals = 0;
  openLinks = 0;
  mostOpenLinks = 0;
  openStreams = 0;
  followed: string[] = [];
  openFollowers = 0;
  inFlight = new Map<string, number>();
  mostInFlight = 0;
  #cut: (because: string) => void = () => {};
  #sayOfEngine: (fact: WatchFact) => void = () => {};
  #isEngineUp = true;
  actor = this.boot();

  engineOf(app: AppId): SimEngine {
    const name = appName(app);
    const known = this.engines.get(name);
    if (known) return known;
    const engine = new SimEngine(this.clock, this.host);
    engine.isUp = this.#isEngineUp;
    engine.tell = (fact) => {
      if (fact.type !== "engine.lost" && fact.type !== "engine.back")
        this.#sayOfEngine({ type: "app.fact", app, fact });
    };
    this.engines.set(name, engine);
    return engine;
  }

  get services(): Services {
    const step = (name: Effect): Services["steps"]["look"] => {
      return (input, signal) => this.engineOf(input.app).step(name)({ input, signal });
    };
    return {
      steps: Object.fromEntries(EFFECTS.map((name) => [name, step(name)])) as unknown as Services["steps"],
      tellState: (input) => this.#tell(input),
      watchEngine: (say) => this.#watch(say),
      watchListeners: (_, onHearing) => {
        onHearing(true);
        return () => {};
      },
      followLogs: ({ id }, onEnd) => this.#follow(id, onEnd),
      holdLink: (attempt, say) => this.#link(attempt, say),
    };
  }

  boot() {
    const see = seeStates(({ app: seen, state, untold }) => {
      if (untold) this.untold = untold;
      if (!seen) return;
      const { app, memory, error } = seen;
      const name = appName(app);
      const known = this.disk.get(name);
      if (known) this.disk.set(name, { ...known, memory, error });
      const before = this.states.get(name) ?? [];
      if (before.at(-1) !== state) this.states.set(name, [...before, state]);
    });
    const actor = createActor(wire(this.services), {
      clock: this.clock,
      inspect: see,
      input: {
        known: [...this.disk.values()],
        untold: this.untold,
        updates: { strategy: "download-then-swap", probation: seconds(30) },
        now: () => this.clock.now(),
        random: () => 0.5,
      },
    });
    actor.subscribe({ error: (error) => this.errors.push(error) });
    actor.start();
    return actor;
  }

  /** As the agent does it: on disk first, then to the tree. */
  ask(app: AppId, desired: Desired, by: Asker = "person"): void {
    const name = appName(app);
    const known = this.disk.get(name);
    if (by === "person") this.asked.set(name, (this.asked.get(name) ?? 0) + 1);
    this.disk.set(name, { memory: NOTHING_REMEMBERED, ...known, app, desired });
    this.actor.send({ type: "app.ordered", app, desired, by });
  }

  stateOf(app: AppId): string | undefined {
    return this.states.get(appName(app))?.at(-1);
  }

  pass = (time: number) => this.clock.pass(time);

  async until(condition: () => boolean, limit = 120_000): Promise<void> {
    if (!(await this.clock.passUntil(condition, limit)))
      throw new Error(`never: ${condition}; ${JSON.stringify([...this.states])} ${this.heard.join()}`);
  }

  /** kill -9: nothing is closed by anybody. */
  kill(): void {
    this.actor.stop();
  }

  dropLink(because = "connection reset"): void {
    this.#cut(because);
  }

  loseEngine(): void {
    this.#isEngineUp = false;
    for (const engine of this.engines.values()) engine.lose();
    this.#sayOfEngine({ type: "engine.closed", because: "connection reset" });
  }

  bringEngineBack(): void {
    this.#isEngineUp = true;
    for (const engine of this.engines.values()) engine.isUp = true;
  }

  [Symbol.dispose](): void {
    this.kill();
  }

  #later(run: () => void, delay = 5): void {
    this.clock.setTimeout(run, delay);
  }

  #link(attempt: number, say: (fact: LinkFact) => void): ReturnType<Services["holdLink"]> {
    let isOpen = true;
    this.openLinks++;
    this.mostOpenLinks = Math.max(this.mostOpenLinks, this.openLinks);
    const sayIfOpen = (fact: LinkFact) => isOpen && say(fact);
    const lose = (because: string) => sayIfOpen({ type: "link.lost", attempt, ending: "lost", because });
    this.#cut = lose;
    this.#later(() => (this.isRouterUp ? sayIfOpen({ type: "link.challenged", attempt }) : lose("refused")));
    this.#later(() => sayIfOpen({ type: "link.welcomed", attempt }), 10);
    return {
      receive: ({ type }: LinkOrder) =>
        this.#later(() => {
          if (!this.isRouterUp || type === "link.leave") lose("gone");
          else if (type === "link.identify") sayIfOpen({ type: "link.identified", attempt, isNewIdentity: false });
          else sayIfOpen({ type: ANSWERS[type], attempt } as LinkFact);
        }),
      release: () => {
        isOpen = false;
        this.openLinks--;
      },
    };
  }

  #tell({ app, state, version, updateStatus }: TellInput): Promise<void> {
    const name = appName(app);
    const calls = (this.inFlight.get(name) ?? 0) + 1;
    const asked = this.asked.get(name) ?? 0;
    this.inFlight.set(name, calls);
    this.mostInFlight = Math.max(this.mostInFlight, calls);
    return new Promise((resolve, reject) => {
      this.#later(() => {
        this.inFlight.set(name, (this.inFlight.get(name) ?? 1) - 1);
        if (!this.isRouterUp || this.refusals-- > 0) return reject(new AgentError("back_end_failed", "refused"));
        this.refusals = Math.max(this.refusals, 0);
        this.heard.push(`${name} ${state}`);
        this.known.set(name, state);
        this.answered.set(name, asked);
        if (updateStatus) this.ends.push(`${name} ${state} ${version} ${updateStatus}`);
        resolve();
      });
    });
  }

  #watch(say: (fact: WatchFact) => void): () => void {
    let isOpen = true;
    this.openStreams++;
    this.#sayOfEngine = (fact) => isOpen && say(fact);
    this.#later(() => {
      if (isOpen) say(this.#isEngineUp ? { type: "engine.opened" } : { type: "engine.closed", because: "no engine" });
    });
    const slowLook = () => {
      if (!isOpen) return;
      for (const engine of this.engines.values()) engine.retell();
      this.#later(slowLook, 300_000);
    };
    this.#later(slowLook, 300_000);
    return () => {
      isOpen = false;
      this.openStreams--;
    };
  }

  #follow(id: string, _onEnd: () => void): () => void {
    this.followed.push(id);
    this.openFollowers++;
    return () => {
      this.openFollowers--;
    };
  }
}
