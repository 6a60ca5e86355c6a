/** Makes the container of one app: sees to folders, ports and image, asks for it, and does without a GPU where that fails. */
import type { ContainerPolicy, Device } from "../model/device.ts";
import { AgentError } from "../model/errors.ts";
import { containerName, LABEL_PREFIX } from "../model/names.ts";
import { type AppOrder, variablesOf } from "../model/order.ts";
import { type Claim, extrasThere, foldersOf } from "./appFolders.ts";
import { creationBody, isMadeBy } from "./containerConfig.ts";
import type { ContainerInfo, Engine, ImageInfo } from "./docker.ts";
import { writeEnvironment } from "./environmentFiles.ts";
import { GPU_RUNTIME, hasGpu } from "./gpu.ts";
import { type HostPortPool, portsIn } from "./hostPorts.ts";
import { lanIp } from "./lanAddress.ts";

export interface MakerOptions {
  readonly engine: Engine;
  readonly device: () => Device;
  readonly policy: ContainerPolicy;
  readonly ports: HostPortPool;
  readonly credentialOf: (order: AppOrder) => Readonly<Record<string, string>>;
  readonly claimFolder: Claim;
  /** A word of the agent for the app's log. */
  readonly say: (order: AppOrder, text: string) => void;
}

export interface Prepared {
  /** Makes the container; answers its id. */
  make(): Promise<string>;
  /** A container is as it would be made now. */
  fits(info: ContainerInfo): boolean;
}

export class ContainerMaker {
  readonly #options: MakerOptions;
  readonly #order: AppOrder;
  readonly #image: string;
  #isWithoutGpu = false;

  /** @param image with its tag. */
  constructor(options: MakerOptions, order: AppOrder, image: string) {
    this.#options = options;
    this.#order = order;
    this.#image = image;
  }

  /**
   * Sees to all that a new container needs, as long as another one may still run.
   *
   * @param before the container whose ports it takes over.
   */
  async prepare(before: ContainerInfo | undefined): Promise<Prepared> {
    const { device, policy, claimFolder, credentialOf } = this.#options;
    for (const why of this.#order.leftOut ?? []) this.#options.say(this.#order, `Left out of the environment: ${why}`);
    const [folders, image] = await Promise.all([
      foldersOf(this.#order, policy.appsDir, claimFolder),
      this.checkImage(),
    ]);
    const ports = await this.#options.ports.assign(this.#order, portsIn(before));
    const extras = policy.access === "none" ? [] : await extrasThere();
    const isGpuWished = policy.gpu === "on" || (policy.gpu === "auto" && (await hasGpu()));
    const order = this.#order;
    const given = { folders, ports, extras, credential: credentialOf(order), lanIp: lanIp() };
    const bodyWith = (runtime?: string) =>
      creationBody({ order, image: this.#image, device: device(), policy, runtime, ...given });
    const body = bodyWith(isGpuWished && !this.#isWithoutGpu ? GPU_RUNTIME : undefined);
    return {
      fits: (info) => info.Image === image.Id && isMadeBy(info, body),
      make: async () => {
        await writeEnvironment(folders.data, variablesOf(order));
        return this.#options.engine.create(containerName(order), body).catch((error: unknown) => {
          this.giveUpGpu(error);
          return this.#options.engine.create(containerName(order), bodyWith());
        });
      },
    };
  }

  /** @throws what it is given, if that is not about the GPU's runtime, or comes without it too. */
  giveUpGpu(error: unknown): void {
    const { message } = AgentError.from(error);
    if (this.#isWithoutGpu || !message.toLowerCase().includes(GPU_RUNTIME)) throw error;
    this.#isWithoutGpu = true;
    this.#options.say(
      this.#order,
      `The runtime ${GPU_RUNTIME} fails, so ${this.#order.name} runs without it: ${message}`,
    );
  }

  /** Containers inherit their image's labels: one that bears ours would look like a container of ours. */
  async checkImage(): Promise<ImageInfo> {
    const image = await this.#options.engine.image(this.#image);
    if (!image) throw new AgentError("container_failed", `the image ${this.#image} is gone`);
    const bad = Object.keys(image.Config?.Labels ?? {}).find((label) => label.startsWith(LABEL_PREFIX));
    if (bad) throw new AgentError("image_refused", `${this.#image} has the label ${bad}`);
    return image;
  }
}
