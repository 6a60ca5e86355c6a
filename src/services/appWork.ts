/** One step of one app on the engine. Only what bears our serial and the app is touched. */
import { type AppId, appName, type Facts, type Run, type StepInput } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { exitWords } from "../model/exitWords.ts";
import { containerName, keptName, LABELS, repositoryOf } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { Effect } from "../model/plan.ts";
import type { Declared } from "../model/portRule.ts";
import type { Adoption } from "./adoption.ts";
import { removeData } from "./appFolders.ts";
import { ContainerMaker, type MakerOptions, type Prepared } from "./containerMaker.ts";
import type { ContainerInfo, Engine } from "./docker.ts";
import { containerOf, graceOf } from "./dockerFacts.ts";
import type { RegistryAuth } from "./dockerPull.ts";
import { portsIn, takenPortIn } from "./hostPorts.ts";
import type { PullQueue } from "./pullQueue.ts";

export interface WorkOptions extends MakerOptions {
  readonly pulls: PullQueue;
  /** @throws {AgentError} engine_full where no image would fit. */
  readonly checkRoom: () => Promise<void>;
  /** What the registry asks for; undefined where nobody can say, which a public image does not need. */
  readonly registryAuth: (order: AppOrder, signal: AbortSignal) => Promise<RegistryAuth | undefined>;
  readonly adoption?: Adoption;
  /** Ports and folder of an app are free again. */
  readonly release: (app: AppId) => void;
  /** The order of an app as it is on disk. */
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** A word about an end, after the output before it. */
  readonly sayLast: (order: AppOrder, text: string, run: Run | undefined) => void;
  /** Keeps the last of what a container printed, before it goes. Never rejects. */
  readonly keepLast: (order: AppOrder, run: Run) => Promise<void>;
  /** A line of the engine's progress for the app's log. */
  readonly onProgress: (order: AppOrder, line: string) => void;
}

/** The containers of one app, by their roles. */
interface Ours {
  readonly container?: ContainerInfo | undefined;
  readonly kept?: ContainerInfo | undefined;
  /** All of them; names of others do not matter. */
  readonly all: readonly ContainerInfo[];
}

const PORT_TRIES = 3;

export class Work {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly order: AppOrder;
  readonly repository: string;
  readonly version: string;
  readonly #options: WorkOptions;
  readonly #input: StepInput;
  readonly #maker: ContainerMaker;
  /** Versions on disk, asked for while something slower is under way. */
  #images: Promise<string[]> | undefined;
  /** The container that this step made where all others were removed before. */
  #made: string | undefined;

  constructor(options: WorkOptions, input: StepInput, signal: AbortSignal) {
    const { app, version } = input;
    const order = options.orderOf(app);
    if (!order) throw new AgentError("internal", `nothing is known of ${appName(app)}`);
    const { registryUrl: url, repository, machine } = options.device();
    this.#options = options;
    this.#input = input;
    this.engine = options.engine;
    this.signal = signal;
    this.version = version;
    this.order = { ...order, version };
    this.repository = repositoryOf(order, { url, repository, machine });
    this.#maker = new ContainerMaker(options, this.order, this.#image);
  }

  async look(): Promise<Facts> {
    const [images, { container, kept }] = await Promise.all([
      this.#images ?? this.engine.tagsOf(this.repository),
      this.ours(),
    ]);
    return {
      images,
      ...(container && { container: this.#shown(container) }),
      ...(kept && { kept: this.#shown(kept) }),
    };
  }

  async pull(): Promise<void> {
    const { name, app } = this.order;
    if (app.stage === "DEV") throw new AgentError("image_not_built", name);
    this.say("LOGGER_CLEAR");
    this.say(`Initialising download for the app: ${name}...`);
    try {
      await this.#options.pulls.run(this.signal, async () => {
        await this.#options.checkRoom();
        const auth = await this.#options.registryAuth(this.order, this.signal);
        await this.engine.pull(this.#image, {
          signal: this.signal,
          onProgress: (line) => this.#options.onProgress(this.order, line),
          ...(auth && { auth }),
        });
      });
      await this.#maker.checkImage();
    } catch (error) {
      if (this.signal.aborted) this.say("The app download was canceled");
      else this.say(`Error occured while trying to pull the image: ${AgentError.from(error).message}`);
      throw error;
    }
    this.say(`Succesfully installed the app: ${name} (Version: ${this.version})`);
  }

  /** Clears what is left, and makes the container; or leaves one that is as it would be made now. */
  async create(): Promise<void> {
    this.say(`Starting ${this.order.name}...`);
    this.#askImagesAhead();
    const { container, all } = await this.ours();
    const { make, fits } = await this.prepare(container ?? all[0]);
    if (this.#input.mayReuse && all.length === 1 && container && !container.State.Running && fits(container)) {
      this.#made = container.Id;
      return;
    }
    for (const info of all) {
      this.signal.throwIfAborted();
      await this.discard(info);
    }
    this.signal.throwIfAborted();
    this.#made = await make();
  }

  /**
   * Sees to all that a new container needs, as long as another one may still run.
   *
   * @param before the container whose ports it takes over.
   */
  prepare(before: ContainerInfo | undefined): Promise<Prepared> {
    return this.#maker.prepare(before);
  }

  async start(): Promise<void> {
    const { container } = await this.ours();
    if (!container) throw new AgentError("container_failed", "the container is gone");
    this.#askImagesAhead();
    if (!container.State.Paused) return this.startAt(container.Id);
    this.say(`${this.order.name} was paused by hand and is resumed`);
    await this.engine.unpause(container.Id);
  }

  /** A port that somebody else took meanwhile is exchanged, a GPU's runtime that fails left out, and the container made anew. */
  async startAt(id: string, tries = PORT_TRIES): Promise<void> {
    try {
      await this.engine.start(id);
    } catch (error) {
      const taken = takenPortIn(AgentError.from(error).message);
      const isOurs = taken !== undefined && Object.values(this.#options.ports.of(this.order)).includes(taken);
      if (tries === 1) throw error;
      if (isOurs) {
        await this.#options.ports.replace(this.order, taken);
        this.say(`Port ${taken} of the device is taken; another one is used`);
      } else this.#maker.giveUpGpu(error);
      const { make } = await this.prepare(undefined);
      await this.engine.remove(id);
      await this.startAt(await make(), tries - 1);
    }
  }

  /** The ports of the device that a container has are not given to the app in another way meanwhile. */
  hasItsPorts(info: ContainerInfo): boolean {
    const ports = this.#options.ports.of(this.order);
    const own = Object.entries(portsIn(info)) as [Declared, number][];
    return own.every(([declared, port]) => (ports[declared] ?? port) === port);
  }

  tellStart(isUp: boolean, { container }: Facts): void {
    if (isUp) this.say(`Now running app ${this.order.name} (${this.version})`);
    else this.#options.sayLast(this.order, "The app failed to start, reason: the container has exited", container);
  }

  /** It stays, so that the version that was up comes back first. */
  async halt(): Promise<void> {
    const { container } = await this.ours();
    this.say(`${this.order.name} is not healthy and is stopped`);
    if (container) await this.engine.stop(container.Id, this.grace(container));
  }

  async stop(): Promise<void> {
    this.say(`Received stop signal for ${this.order.name}`);
    for (const info of (await this.ours()).all) {
      await this.engine.stop(info.Id, this.grace(info));
      await this.discard(info);
    }
    this.say(`Successfully stopped ${this.order.name}`);
  }

  async remove(): Promise<void> {
    this.say(`Starting removal process for ${this.order.name}...`);
    for (const info of (await this.ours()).all) await this.discard(info);
    for (const tag of await this.engine.tagsOf(this.repository))
      await this.engine.removeImage(`${this.repository}:${tag}`);
    this.say(`Successfully removed ${this.order.name}!`);
  }

  /** What was removed before leaves nothing behind: its data go, and its ports are free. */
  async uninstall(): Promise<void> {
    const { policy, claimFolder, release } = this.#options;
    await removeData(this.order, policy.appsDir, claimFolder);
    release(this.order.app);
  }

  /** Why a step that met no error is a failure all the same. */
  fruitless(name: Effect, { container }: Facts): AgentError {
    if (name === "startContainer" && container?.is === "down")
      return new AgentError("container_exited", exitWords(container));
    return new AgentError("container_failed", `${name} ended well and achieved nothing`);
  }

  /** Removes a container; the last of what it printed is kept. */
  async discard(info: ContainerInfo): Promise<void> {
    await this.#options.keepLast(this.order, { id: info.Id, startedAt: this.#shown(info).startedAt });
    await this.engine.remove(info.Id);
  }

  /** Seconds that a container has to end by itself. */
  grace({ Config }: ContainerInfo): number {
    return graceOf(Config) ?? this.#options.policy.stopGrace;
  }

  /** The version that a container was made of. */
  versionOf(info: ContainerInfo): string {
    return this.#shown(info).version;
  }

  /**
   * Every container of this app, by its labels; what has the app's name is nearly always the only one, so it is looked at
   * while the list comes.
   */
  async ours(): Promise<Ours> {
    if (this.#made !== undefined) {
      const container = await this.engine.container(this.#made);
      return { container, all: container ? [container] : [] };
    }
    const { stage, key } = this.order.app;
    const { serial } = this.#options.device();
    const labels = [`${LABELS.serial}=${serial}`, `${LABELS.stage}=${stage}`, `${LABELS.key}=${key}`];
    const name = containerName(this.order);
    const [found, named] = await Promise.all([this.engine.containers(labels), this.engine.container(name)]);
    const looked = await Promise.all(found.map(({ Id }) => (Id === named?.Id ? named : this.engine.container(Id))));
    const all = [...looked.filter((info) => info !== undefined), ...(await this.#adopted(named))];
    const kept = all.find(({ Name }) => Name === `/${keptName(this.order)}`);
    const others = all.filter((info) => info !== kept);
    return { container: others.find((info) => info === named) ?? others[0], kept, all };
  }

  /** Those of an original have no labels; they are known by their names. */
  async #adopted(named: ContainerInfo | undefined): Promise<ContainerInfo[]> {
    const { adoption } = this.#options;
    if (!adoption?.knows(this.order.app)) return [];
    const kept = await this.engine.container(keptName(this.order));
    return [named, kept].filter((info) => info !== undefined && adoption.of(info) !== undefined) as ContainerInfo[];
  }

  say(text: string): void {
    this.#options.say(this.order, text);
  }

  get #image(): string {
    return `${this.repository}:${this.version}`;
  }

  #shown(info: ContainerInfo) {
    return containerOf(info, this.#options.adoption?.of(info));
  }

  /** So that the answer is there when the look needs it. */
  #askImagesAhead(): void {
    this.#images = this.engine.tagsOf(this.repository);
    this.#images.catch(() => {
      // Whoever waits for it hears of it; a step that failed before does not wait.
    });
  }
}
