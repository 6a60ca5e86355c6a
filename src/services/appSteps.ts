/**
 * What each step of an app does to the engine. One step at a time for each app, also when the last was called off; each
 * ends with a look, and fails if the look does not show what it is for. Only what bears our serial and the app is touched.
 */
import { networkInterfaces } from "node:os";
import { type AppId, appName, type Facts, type StepInput } from "../model/app.ts";
import type { ContainerPolicy, Device } from "../model/device.ts";
import { AgentError } from "../model/errors.ts";
import { containerName, LABEL_PREFIX, LABELS, repositoryOf } from "../model/names.ts";
import { type AppOrder, variablesOf } from "../model/order.ts";
import { ACHIEVED, type Effect } from "../model/plan.ts";
import type { HostPorts } from "../model/portRule.ts";
import type { Adoption } from "./adoption.ts";
import { type Claim, extrasThere, foldersOf } from "./appFolders.ts";
import { creationBody } from "./containerConfig.ts";
import type { ContainerInfo, Engine } from "./docker.ts";
import { containerOf } from "./dockerFacts.ts";
import { writeEnvironment } from "./environmentFiles.ts";
import { type HostPortPool, takenPortIn } from "./hostPorts.ts";
import { createLane, type Lane } from "./lane.ts";

export interface StepsOptions {
  readonly engine: Engine;
  readonly device: () => Device;
  readonly policy: ContainerPolicy;
  readonly adoption?: Adoption;
  readonly ports: HostPortPool;
  readonly claimFolder: Claim;
  /** The order of an app as it is on disk. */
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** A word of the agent for the app's log. */
  readonly say: (order: AppOrder, text: string) => void;
  /** A line of the engine's progress for the app's log. */
  readonly onProgress: (order: AppOrder, line: string) => void;
}

export type Steps = Readonly<Record<Effect, (input: StepInput, signal: AbortSignal) => Promise<Facts>>>;

export function createSteps(options: StepsOptions): Steps {
  const lanes = new Map<string, Lane>();
  const step =
    (name: Effect, run: (work: Work) => Promise<void>) =>
    (input: StepInput, signal: AbortSignal): Promise<Facts> => {
      const lane = lanes.get(appName(input.app)) ?? createLane();
      lanes.set(appName(input.app), lane);
      return lane(signal, async () => {
        const work = new Work(options, input, signal);
        await run(work);
        const facts = await work.look();
        const isAchieved = ACHIEVED[name](facts, input.version);
        if (name === "startContainer") work.tellStart(isAchieved);
        if (!isAchieved) throw work.fruitless(name, facts);
        return facts;
      });
    };
  return {
    look: step("look", async () => {}),
    pullImage: step("pullImage", (work) => work.pull()),
    createContainer: step("createContainer", (work) => work.create()),
    startContainer: step("startContainer", (work) => work.start()),
    stopContainer: step("stopContainer", (work) => work.stop()),
    removeApp: step("removeApp", (work) => work.remove()),
  };
}

/** One step of one app. */
class Work {
  readonly #options: StepsOptions;
  readonly #input: StepInput;
  readonly #signal: AbortSignal;
  readonly #order: AppOrder;
  readonly #repository: string;
  /** Versions on disk, asked for while something slower is under way. */
  #images: Promise<string[]> | undefined;
  /** The container that this step made: all others were removed before. */
  #made: string | undefined;

  constructor(options: StepsOptions, input: StepInput, signal: AbortSignal) {
    const order = options.orderOf(input.app);
    if (!order) throw new AgentError("internal", `nothing is known of ${appName(input.app)}`);
    const { registryUrl: url, repository, machine } = options.device();
    this.#options = options;
    this.#input = input;
    this.#signal = signal;
    this.#order = { ...order, version: input.version };
    this.#repository = repositoryOf(order, { url, repository, machine });
  }

  async look(): Promise<Facts> {
    const [images, containers] = await Promise.all([
      this.#images ?? this.#options.engine.tagsOf(this.#repository),
      this.#ours(),
    ]);
    const [info] = containers;
    return { images, ...(info && { container: containerOf(info, this.#options.adoption?.of(info)) }) };
  }

  async pull(): Promise<void> {
    const { name, version } = this.#order;
    this.#say("LOGGER_CLEAR");
    this.#say(`Initialising download for the app: ${name}...`);
    try {
      await this.#options.engine.pull(this.#image, {
        signal: this.#signal,
        onProgress: (line) => this.#options.onProgress(this.#order, line),
      });
      await this.#checkImage();
    } catch (error) {
      if (this.#signal.aborted) this.#say("The app download was canceled");
      else this.#say(`Error occured while trying to pull the image: ${AgentError.from(error).message}`);
      throw error;
    }
    this.#say(`Succesfully installed the app: ${name} (Version: ${version})`);
  }

  async create(): Promise<void> {
    const { engine, device, policy, claimFolder } = this.#options;
    this.#say(`Starting ${this.#order.name}...`);
    for (const why of this.#order.leftOut ?? []) this.#say(`Left out of the environment: ${why}`);
    this.#askImagesAhead();
    const [old, folders] = await Promise.all([
      this.#ours(),
      foldersOf(this.#order, policy.appsDir, claimFolder),
      this.#checkImage(),
    ]);
    const ports = await this.#options.ports.assign(this.#order, portsIn(old[0]));
    for (const { Id } of old) {
      this.#signal.throwIfAborted();
      await engine.remove(Id);
    }
    await writeEnvironment(folders.data, variablesOf(this.#order));
    this.#signal.throwIfAborted();
    const body = creationBody({
      order: this.#order,
      image: this.#image,
      device: device(),
      policy,
      folders,
      ports,
      extras: policy.access === "none" ? [] : await extrasThere(),
      lanIp: lanIp(),
    });
    this.#made = await engine.create(containerName(this.#order), body);
  }

  async start(): Promise<void> {
    const { engine } = this.#options;
    const [found] = await this.#ours();
    if (!found) throw new AgentError("container_failed", "the container is gone");
    this.#askImagesAhead();
    if (!found.State.Paused) return this.#startAt(found.Id, PORT_TRIES);
    this.#say(`${this.#order.name} was paused by hand and is resumed`);
    await engine.unpause(found.Id);
  }

  /** A port that somebody else took meanwhile is exchanged for another one, and the container made anew with it. */
  async #startAt(id: string, tries: number): Promise<void> {
    try {
      await this.#options.engine.start(id);
    } catch (error) {
      const taken = takenPortIn(AgentError.from(error).message);
      const isOurs = taken !== undefined && Object.values(this.#options.ports.of(this.#order)).includes(taken);
      if (!isOurs || tries === 1) throw error;
      await this.#options.ports.replace(this.#order, taken);
      this.#say(`Port ${taken} of the device is taken; another one is used`);
      await this.create();
      await this.#startAt(this.#made ?? id, tries - 1);
    }
  }

  tellStart(isUp: boolean): void {
    if (isUp) this.#say(`Now running app ${this.#order.name} (${this.#order.version})`);
    else this.#say("The app failed to start, reason: the container has exited");
  }

  async stop(): Promise<void> {
    const { engine, policy } = this.#options;
    this.#say(`Received stop signal for ${this.#order.name}`);
    for (const { Id } of await this.#ours()) {
      await engine.stop(Id, policy.stopGrace);
      await engine.remove(Id);
    }
    this.#say(`Successfully stopped ${this.#order.name}`);
  }

  async remove(): Promise<void> {
    const { engine } = this.#options;
    this.#say(`Starting removal process for ${this.#order.name}...`);
    for (const { Id } of await this.#ours()) await engine.remove(Id);
    for (const tag of await engine.tagsOf(this.#repository)) await engine.removeImage(`${this.#repository}:${tag}`);
    this.#say(`Successfully removed ${this.#order.name}!`);
  }

  /** Why a step that met no error is a failure all the same. */
  fruitless(name: Effect, { container }: Facts): AgentError {
    if (name === "startContainer" && container?.is === "down")
      return new AgentError("container_exited", `exit code ${container.exitCode}`);
    return new AgentError("container_failed", `${name} ended well and achieved nothing`);
  }

  get #image(): string {
    return `${this.#repository}:${this.#input.version}`;
  }

  /** Containers inherit their image's labels: one that bears ours would look like a container of ours. */
  async #checkImage(): Promise<void> {
    const image = await this.#options.engine.image(this.#image);
    if (!image) throw new AgentError("container_failed", `the image ${this.#image} is gone`);
    const bad = Object.keys(image.Config?.Labels ?? {}).find((label) => label.startsWith(LABEL_PREFIX));
    if (bad) throw new AgentError("image_refused", `${this.#image} has the label ${bad}`);
  }

  /** So that the answer is there when the look needs it. */
  #askImagesAhead(): void {
    this.#images = this.#options.engine.tagsOf(this.#repository);
    this.#images.catch(() => {
      // Whoever waits for it hears of it; a step that failed before does not wait.
    });
  }

  /**
   * Every container of this app, by its labels, the one with its name first; the names of others do not matter. That one is
   * nearly always the only one, so it is looked at while the list comes.
   */
  async #ours(): Promise<ContainerInfo[]> {
    const { engine, device } = this.#options;
    if (this.#made !== undefined) return [await engine.container(this.#made)].filter((info) => info !== undefined);
    const { stage, key } = this.#order.app;
    const labels = [`${LABELS.serial}=${device().serial}`, `${LABELS.stage}=${stage}`, `${LABELS.key}=${key}`];
    const [found, named] = await Promise.all([engine.containers(labels), engine.container(containerName(this.#order))]);
    const looked = await Promise.all(found.map(({ Id }) => (Id === named?.Id ? named : engine.container(Id))));
    const adopted = named && this.#options.adoption?.of(named) ? [named] : [];
    const ours = [...looked.filter((info) => info !== undefined), ...adopted];
    return ours.sort((one, other) => Number(other === named) - Number(one === named));
  }

  #say(text: string): void {
    this.#options.say(this.#order, text);
  }
}

const PORT_TRIES = 3;

/** Ports of the host that a container has. */
function portsIn(info: ContainerInfo | undefined): HostPorts {
  const bindings = (info?.HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null>;
  const entries = Object.entries(bindings).map(([declared, all]) => [declared, Number(all?.[0]?.HostPort ?? 0)]);
  return Object.fromEntries(entries.filter(([, port]) => Number(port) > 0));
}

function lanIp(): string | undefined {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    /^(docker|br-|rg|veth)/.test(name) ? [] : addresses,
  );
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}
