/**
 * A Docker engine in memory, for one app, with real manners: calls take time, short calls cannot be called back, a call
 * that timed out still lands, a pull ends when it is aborted, events come late, and none come while the engine is away.
 * The app shows one port on the host, which it shares with others.
 */
import type { SimulatedClock } from "xstate";
import type { Container, ContainerFact, EngineFact, Facts, Restart, StepInput } from "../../src/model/app.ts";
import { AgentError, type ErrorCode } from "../../src/model/errors.ts";
import { ACHIEVED } from "../../src/model/plan.ts";
import { createLane } from "../../src/services/lane.ts";
import { SimHost } from "./host.ts";

export type Fault = ErrorCode | "timeout";
type Box = Container & { readonly name: "app" | "kept"; readonly port: number };

/** Of a container that the agent did not make; nobody else asks for it. */
export const BY_HAND = 80;

export class SimEngine {
  readonly images = new Set<string>();
  readonly boxes = new Map<string, Box>();
  readonly calls: string[] = [];
  /** Faults that the next calls meet, oldest first. */
  faults: Fault[] = [];
  /** Versions whose container soon ends by itself, turns sick, or never says whether it is healthy. */
  readonly bad = new Map<string, "exits" | "sick" | "mute">();
  readonly withHealthCheck = new Set<string>();
  /** Versions that no older one can follow. */
  readonly oneWay = new Set<string>();
  restart: Restart | undefined;
  /** What becomes of the next events, oldest first. */
  lies: ("loses" | "doubles" | "delays")[] = [];
  #gone: readonly string[] = [];
  isUp = true;
  hasData = false;
  violations: string[] = [];
  /** The signals that the effects were given, newest last. */
  readonly signals: AbortSignal[] = [];
  tell: (fact: ContainerFact | EngineFact) => void = () => {};
  #inFlight = 0;
  #lane = createLane();
  readonly #clock: SimulatedClock;
  readonly #host: SimHost;

  constructor(clock: SimulatedClock, host = new SimHost()) {
    this.#clock = clock;
    this.#host = host;
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
    createContainer: async (input: StepInput, signal: AbortSignal) => {
      const { app, version, spec, mayReuse } = input;
      const old = this.#named("app");
      const port = await this.#host.assign(app, old?.port);
      const isSame = old?.is === "down" && old.version === version && old.spec === spec && old.port === port;
      if (mayReuse && isSame) return;
      await this.#removeAll("app", signal);
      signal.throwIfAborted();
      await this.#createFor(input, "create");
    },
    startContainer: async (input: StepInput, signal: AbortSignal) => {
      await this.#startFor(input, signal, "start");
      await this.#abortable(20, signal);
      const box = this.#named("app");
      if (box?.is !== "up") throw new AgentError("container_exited", `exit code ${box?.exitCode}`);
    },
    haltContainer: async () => {
      const box = this.#named("app");
      if (box) await this.#call("halt", () => this.#end(box.id, 137));
    },
    stopContainer: async (_: StepInput, signal: AbortSignal) => {
      await this.#removeAll("app", signal);
      await this.#removeAll("kept", signal);
    },
    removeApp: async (_: StepInput, signal: AbortSignal) => {
      await this.#removeAll("app", signal);
      await this.#removeAll("kept", signal);
      await this.#call("rmi", () => this.images.clear());
    },
    uninstallApp: async ({ app }: StepInput) => {
      await this.#call("rm data", () => this.#removeData());
      this.#host.release(app);
    },
    swapContainers: async (input: StepInput, signal: AbortSignal) => {
      const { version } = input;
      const old = this.#named("app");
      if (old && old.version !== version) {
        await this.#call("stop old", () => this.#end(old.id, 137));
        await this.#call("keep old", () => this.#rename("app", "kept"));
      }
      signal.throwIfAborted();
      if (!this.#named("app")) await this.#createFor(input, "create new");
      await this.#startFor(input, signal, "start new");
    },
    commitUpdate: async ({ version }: StepInput, signal: AbortSignal) => {
      await this.#removeAll("kept", signal);
      for (const image of [...this.images]) {
        if (image !== version) await this.#call("rmi old", () => void this.images.delete(image));
      }
    },
    rollBackUpdate: async (input: StepInput, signal: AbortSignal) => {
      if (this.#named("app")?.version !== input.version) await this.#removeAll("app", signal);
      const isItsPort = this.#named("kept")?.port === this.#host.portOf(input.app);
      if (isItsPort && !this.#named("app")) await this.#call("unkeep", () => this.#rename("kept", "app"));
      signal.throwIfAborted();
      if (!this.#named("app")) await this.#createFor(input, "create old");
      await this.#removeAll("kept", signal);
      await this.#startFor(input, signal, "start old");
    },
  } satisfies Record<string, (input: StepInput, signal: AbortSignal) => Promise<void>>;

  look(): Facts {
    const [container, kept] = [this.#named("app"), this.#named("kept")];
    return { images: [...this.images], ...(container && { container }), ...(kept && { kept }) };
  }

  get port(): number | undefined {
    return this.#named("app")?.port;
  }

  // What people and the world do.

  judge(health: "healthy" | "unhealthy"): void {
    const box = this.#named("app");
    if (box) this.#judge(box.id, health);
  }

  /** From the next start on, its health check fails. */
  fallSick(version: string): void {
    this.withHealthCheck.add(version);
    this.bad.set(version, "sick");
  }

  exit(exitCode = 1): void {
    const box = this.#named("app");
    if (box?.is === "up") this.#end(box.id, exitCode);
  }

  startByHand(version: string): void {
    if (!this.#named("app") && this.images.has(version) && this.isUp) this.#create(version, "s", BY_HAND);
    this.#start("app");
  }

  removeByHand(): void {
    const box = this.#named("app");
    if (box) this.#remove(box.id);
  }

  pauseByHand(): void {
    const box = this.#named("app");
    if (box?.is !== "up" || box.paused || !this.isUp) return;
    this.boxes.set(box.id, { ...box, paused: true });
    this.#emit({ type: "container.paused", id: box.id });
  }

  lose(): void {
    this.isUp = false;
    for (const box of this.boxes.values()) {
      this.boxes.set(box.id, { ...box, is: box.is === "up" ? "down" : box.is, paused: false });
      this.#host.free(box.id);
    }
    this.#emit({ type: "engine.lost" });
  }

  comeBack(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.#emit({ type: "engine.back" });
  }

  // The engine's own workings.

  #named(name: Box["name"]): Box | undefined {
    return [...this.boxes.values()].find((box) => box.name === name);
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

  async #removeAll(name: Box["name"], signal: AbortSignal): Promise<void> {
    for (const box of [...this.boxes.values()].filter((one) => one.name === name)) {
      signal.throwIfAborted();
      await this.#call(`remove ${name}`, () => this.#remove(box.id));
    }
  }

  async #createFor({ app, version, spec }: StepInput, name: string): Promise<void> {
    const port = await this.#host.assign(app);
    await this.#call(name, () => this.#create(version, spec, port));
  }

  /** A port that a stranger took meanwhile is exchanged, and the container made anew. */
  async #startFor(input: StepInput, signal: AbortSignal, name: string, tries = 3): Promise<void> {
    try {
      await this.#call(name, () => this.#start("app"));
    } catch (error) {
      if (tries === 1 || !(await this.#host.isExchanged(input.app, error))) throw error;
      await this.#removeAll("app", signal);
      await this.#createFor(input, "create at another port");
      await this.#startFor(input, signal, name, tries - 1);
    }
  }

  #create(version: string, spec: string, port: number): void {
    if (!this.images.has(version)) throw new AgentError("container_failed", `no image ${version}`);
    if (this.#named("app")) throw new AgentError("container_failed", "name in use");
    const id = this.#host.newId();
    this.hasData = true;
    const health = this.withHealthCheck.has(version) ? { health: "starting" as const } : {};
    this.boxes.set(id, {
      id,
      name: "app",
      version,
      spec,
      port,
      is: "made",
      startedAt: 0,
      ...health,
      restart: this.restart,
      ...(this.oneWay.has(version) && { isOneWay: true }),
    });
  }

  #start(name: Box["name"]): void {
    const box = this.#named(name);
    if (!box) throw new AgentError("container_failed", "no such container");
    if (box.is === "up" && !box.paused) return;
    this.#host.bind(box.port, box.id);
    const { exitCode: _, paused: wasPaused, ...rest } = box;
    const startedAt = wasPaused ? box.startedAt : this.#clock.now();
    const up: Box = { ...rest, is: "up", startedAt, ...(box.health && !wasPaused && { health: "starting" }) };
    this.boxes.set(box.id, up);
    if ([...this.boxes.values()].filter(({ is }) => is === "up").length > 1) this.violations.push("two containers up");
    this.#emit({ type: "container.started", container: up });
    const kind = this.bad.get(box.version);
    if (kind === "exits") this.#clock.setTimeout(() => this.#end(box.id, 1, up.startedAt), 5);
    else if (box.health && kind !== "mute")
      this.#clock.setTimeout(() => this.#judge(box.id, kind ? "unhealthy" : "healthy"), 50);
  }

  #judge(id: string, health: "healthy" | "unhealthy"): void {
    const box = this.boxes.get(id);
    if (box?.is !== "up") return;
    this.boxes.set(id, { ...box, health });
    this.#emit({ type: "container.health", id, health });
  }

  #end(id: string, exitCode: number, run?: number): void {
    const box = this.boxes.get(id);
    if (box?.is !== "up" || (run !== undefined && run !== box.startedAt)) return;
    const { paused: _, ...rest } = box;
    this.#host.free(id);
    this.boxes.set(id, { ...rest, is: "down", exitCode });
    this.#emit({ type: "container.exited", id, startedAt: box.startedAt, exitCode });
  }

  #remove(id: string): void {
    this.#end(id, 137);
    if (!this.boxes.delete(id)) return;
    this.#gone = [...this.#gone, id].slice(-4);
    this.#emit({ type: "container.removed", id });
  }

  #rename(from: Box["name"], to: Box["name"]): void {
    const box = this.#named(from);
    if (box) this.boxes.set(box.id, { ...box, name: to });
  }

  #removeData(): void {
    this.hasData = false;
  }

  /** Events come late but in order, and are lost while the engine is away. It lies by losing, doubling and delaying more. */
  #emit(fact: ContainerFact | EngineFact): void {
    if (!this.isUp && fact.type !== "engine.lost") return;
    const lie = fact.type.startsWith("engine") ? undefined : this.lies.shift();
    if (lie === "loses") return;
    this.#clock.setTimeout(() => this.tell(fact), lie === "delays" ? 400 : 7);
    if (lie === "doubles") this.#clock.setTimeout(() => this.tell(fact), 30);
  }

  /** What a slow look at all containers tells: nothing that is not so stays unknown. */
  retell(): void {
    if (!this.isUp) return;
    for (const id of this.#gone) this.tell({ type: "container.removed", id });
    for (const box of this.boxes.values()) {
      const { id, startedAt, exitCode } = box;
      if (box.is === "up")
        this.tell(box.paused ? { type: "container.paused", id } : { type: "container.started", container: box });
      if (box.is === "down") this.tell({ type: "container.exited", id, startedAt, exitCode });
    }
  }
}

function attempt(act: () => unknown): void {
  try {
    act();
  } catch {
    // A call whose caller has gone: nobody hears that it failed.
  }
}
