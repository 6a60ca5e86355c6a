/**
 * A Docker engine in memory, for one app, with real manners: calls take time, short calls cannot be called back, a call
 * that timed out still lands, a pull ends when it is aborted, events come late, and none come while the engine is away.
 */
import type { SimulatedClock } from "xstate";
import type { Container, ContainerFact, EngineFact, Facts, StepInput } from "../../src/model/app.ts";
import { AgentError, type ErrorCode } from "../../src/model/errors.ts";
import { ACHIEVED } from "../../src/model/plan.ts";
import { createLane } from "../../src/services/lane.ts";

export type Fault = ErrorCode | "timeout";

export class SimEngine {
  readonly images = new Set<string>();
  readonly boxes = new Map<string, Container>();
  readonly calls: string[] = [];
  /** Faults that the next calls meet, oldest first. */
  faults: Fault[] = [];
  /** Versions whose container soon ends by itself. */
  readonly bad = new Set<string>();
  isUp = true;
  violations: string[] = [];
  /** The signals that the effects were given, newest last. */
  readonly signals: AbortSignal[] = [];
  tell: (fact: ContainerFact | EngineFact) => void = () => {};
  #ids = 0;
  #inFlight = 0;
  #lane = createLane();
  readonly #clock: SimulatedClock;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  /** What main.ts would wire: one step, in the lane of the app, ending with a look. */
  readonly step =
    (name: keyof typeof this.steps) =>
    ({ input, signal }: { input: StepInput; signal: AbortSignal }): Promise<Facts> => {
      this.signals.push(signal);
      return this.#lane(signal, async () => {
        this.calls.push(`${name} ${input.version}`);
        if (++this.#inFlight > 1) this.violations.push(`two effects at once: ${name}`);
        try {
          await this.steps[name](input, signal);
          const facts = await this.#call("inspect", () => this.look());
          await this.#answer();
          if (!ACHIEVED[name](facts, input.version))
            throw new AgentError("container_failed", `${name} achieved nothing`);
          return facts;
        } finally {
          this.#inFlight--;
        }
      });
    };

  readonly steps = {
    look: async () => {},
    pullImage: async ({ version }: StepInput, signal: AbortSignal) => {
      await this.#abortable(200, signal);
      await this.#call("pull", () => void this.images.add(version));
    },
    createContainer: async ({ version, spec }: StepInput, signal: AbortSignal) => {
      await this.#removeAll(signal);
      signal.throwIfAborted();
      await this.#call("create", () => this.#create(version, spec));
    },
    startContainer: async (_: StepInput, signal: AbortSignal) => {
      await this.#call("start", () => this.#start());
      await this.#abortable(20, signal);
      const box = this.#box();
      if (box?.is !== "up") throw new AgentError("container_exited", `exit code ${box?.exitCode}`);
    },
    stopContainer: async (_: StepInput, signal: AbortSignal) => {
      await this.#removeAll(signal);
    },
    removeApp: async (_: StepInput, signal: AbortSignal) => {
      await this.#removeAll(signal);
      await this.#call("rmi", () => this.images.clear());
    },
  } satisfies Record<string, (input: StepInput, signal: AbortSignal) => Promise<void>>;

  look(): Facts {
    const container = this.#box();
    return { images: [...this.images], ...(container && { container }) };
  }

  // What people and the world do.

  exit(exitCode = 1): void {
    const box = this.#box();
    if (box?.is === "up") this.#end(box.id, exitCode);
  }

  startByHand(version: string): void {
    if (!this.#box() && this.images.has(version) && this.isUp) this.#create(version, "s");
    this.#start();
  }

  removeByHand(): void {
    const box = this.#box();
    if (box) this.#remove(box.id);
  }

  pauseByHand(): void {
    const box = this.#box();
    if (box?.is !== "up" || box.paused || !this.isUp) return;
    this.boxes.set(box.id, { ...box, paused: true });
    this.#emit({ type: "container.paused", id: box.id });
  }

  lose(): void {
    this.isUp = false;
    for (const box of this.boxes.values())
      this.boxes.set(box.id, { ...box, is: box.is === "up" ? "down" : box.is, paused: false });
    this.#emit({ type: "engine.lost" });
  }

  comeBack(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.#emit({ type: "engine.back" });
  }

  // The engine's own workings.

  #box(): Container | undefined {
    return [...this.boxes.values()][0];
  }

  #call<T>(name: string, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#clock.setTimeout(() => {
        try {
          this.#meetFault(name, act);
          resolve(act());
        } catch (error) {
          reject(error);
        }
      }, 10);
    });
  }

  /** An answer is on its way for longer than an event: what it shows may be over when it arrives. */
  #answer(): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, 10));
  }

  #meetFault(name: string, act: () => unknown): void {
    const fault = name === "inspect" ? undefined : this.faults.shift();
    if (!this.isUp) throw new AgentError("engine_unreachable", name);
    if (fault === undefined) return;
    if (fault !== "timeout") throw new AgentError(fault, name);
    // Who gives up a pull closes its connection, and the engine then ends it.
    if (name !== "pull") this.#clock.setTimeout(() => this.isUp && attempt(act), 70);
    throw new AgentError("container_failed", `${name} timed out`);
  }

  #abortable(time: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimeout(resolve, time);
      signal.addEventListener("abort", () => {
        this.#clock.clearTimeout(timer);
        reject(signal.reason);
      });
    });
  }

  async #removeAll(signal: AbortSignal): Promise<void> {
    for (const box of [...this.boxes.values()]) {
      signal.throwIfAborted();
      await this.#call("remove", () => this.#remove(box.id));
    }
  }

  #create(version: string, spec: string): void {
    if (!this.images.has(version)) throw new AgentError("container_failed", `no image ${version}`);
    if (this.#box()) throw new AgentError("container_failed", "name in use");
    const id = `c${++this.#ids}`;
    this.boxes.set(id, { id, version, spec, is: "made", startedAt: 0 });
  }

  #start(): void {
    const box = this.#box();
    if (!box) throw new AgentError("container_failed", "no such container");
    if (box.is === "up" && !box.paused) return;
    const { exitCode: _, paused: wasPaused, ...rest } = box;
    const up: Container = { ...rest, is: "up", startedAt: wasPaused ? box.startedAt : this.#clock.now() };
    this.boxes.set(box.id, up);
    if ([...this.boxes.values()].filter(({ is }) => is === "up").length > 1) this.violations.push("two containers up");
    this.#emit({ type: "container.started", container: up });
    if (this.bad.has(box.version)) this.#clock.setTimeout(() => this.#end(box.id, 1, up.startedAt), 5);
  }

  #end(id: string, exitCode: number, run?: number): void {
    const box = this.boxes.get(id);
    if (box?.is !== "up" || (run !== undefined && run !== box.startedAt)) return;
    const { paused: _, ...rest } = box;
    this.boxes.set(id, { ...rest, is: "down", exitCode });
    this.#emit({ type: "container.exited", id, startedAt: box.startedAt, exitCode });
  }

  #remove(id: string): void {
    this.#end(id, 137);
    if (this.boxes.delete(id)) this.#emit({ type: "container.removed", id });
  }

  /** Events come late but in order, and are lost while the engine is away. */
  #emit(fact: ContainerFact | EngineFact): void {
    if (!this.isUp && fact.type !== "engine.lost") return;
    this.#clock.setTimeout(() => this.tell(fact), 7);
  }
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // A call whose caller has gone: nobody hears that it failed.
  }
}
