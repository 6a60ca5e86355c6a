/**
 * Everything the agent asks of the Docker engine, over dockerode. One method is one intention, safe to call twice; every
 * failure leaves as an AgentError. It knows nothing of apps, machines, the wire or the disk.
 */
import type { IncomingMessage } from "node:http";
import Docker from "dockerode";
import pRetry from "p-retry";
import { AgentError } from "../model/errors.ts";
import { hasStatus, SafeModem } from "./dockerModem.ts";
import { type PullOptions, readPull } from "./dockerPull.ts";

export type ContainerInfo = Docker.ContainerInspectInfo;
export type ImageInfo = Docker.ImageInspectInfo;
export type CreationBody = Docker.ContainerCreateOptions;
/** `VirtualSize` is gone in newer engines. */
export type Image = Omit<Docker.ImageInfo, "VirtualSize"> & { readonly VirtualSize?: number };

export interface Engine {
  /** Its socket, for whoever is told about it. */
  readonly socketPath: string;
  ping(): Promise<void>;
  /** Undefined if there is no such container. */
  container(idOrName: string): Promise<ContainerInfo | undefined>;
  /** All containers with this label, or with all of these (`key=value`), also those that do not run. */
  containers(labels?: readonly string[]): Promise<Docker.ContainerInfo[]>;
  /** Undefined if there is no such image. */
  image(ref: string): Promise<ImageInfo | undefined>;
  /** Folder in which it keeps everything; on its own machine. */
  dataRoot(): Promise<string>;
  /** Tags of a repository that are on disk. */
  tagsOf(repository: string): Promise<string[]>;
  /** @throws image_not_found | image_pull_failed | engine_full | engine_unreachable, or the signal's reason. */
  pull(ref: string, options: PullOptions): Promise<void>;
  /** Answers the container's id. @throws container_name_taken | bad_configuration | container_failed */
  create(name: string, body: CreationBody): Promise<string>;
  start(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  /** Resolves when it does not run, also if it is not there. `grace` in s before it is killed. */
  stop(id: string, grace: number): Promise<void>;
  /** By force. Resolves when it is gone. */
  remove(id: string): Promise<void>;
  /** Takes away one tag, and the image with its last tag. Resolves if it was not there. */
  removeImage(ref: string): Promise<void>;
  /** All that are on disk. */
  images(): Promise<Image[]>;
  /** Takes away one tag, unless a container needs it: false. */
  removeUnused(ref: string): Promise<boolean>;
  /** Takes away images without a name that no container needs. Answers bytes. */
  pruneDangling(): Promise<number>;
  /** Answers bytes. */
  pruneBuildCache(): Promise<number>;
  /** Raw output stream of a container; the caller ends it with the signal. */
  logs(id: string, options: LogOptions): Promise<IncomingMessage>;
  /**
   * Raw stream of container events, one JSON object a line.
   *
   * @param since wall time in ms: those that the engine remembers from then on come first
   */
  events(since: number, signal: AbortSignal): Promise<IncomingMessage>;
}

export interface LogOptions {
  readonly signal: AbortSignal;
  /** Goes on as long as the container runs. */
  readonly follow: boolean;
  /** Each entry begins with its stamp. */
  readonly stamps: boolean;
  /** Unix time in s with a fraction, inclusive. Default is the beginning. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Only so many entries, the last ones. */
  readonly tail?: number | undefined;
}

export interface EngineOptions {
  readonly socketPath: string;
  readonly patience?: number;
}

/** The newest API that was tried. An older engine is spoken to in its own. */
const NEWEST_API = 1.44;
/** What the watcher wants to hear about. */
const EVENTS = ["create", "start", "die", "destroy", "pause", "unpause", "rename", "health_status"];

export function createEngine({ socketPath, patience = 1 }: EngineOptions): Engine {
  let docker: Promise<Docker> | undefined;

  /** Asks for the version first; an engine that was away may come back as another one, so a failure is not kept. */
  function engine(): Promise<Docker> {
    docker ??= negotiate(socketPath, patience).catch((error: unknown) => {
      docker = undefined;
      throw error;
    });
    return docker;
  }

  /** Reads may be repeated: a connection that broke once says nothing. */
  const read = <T>(ask: (docker: Docker) => Promise<T>): Promise<T> =>
    pRetry(async () => ask(await engine()), {
      retries: 1,
      minTimeout: 50,
      shouldRetry: ({ error }) =>
        error instanceof AgentError && error.code === "engine_unreachable" && error.message.includes("ECONNRESET"),
    });

  return {
    socketPath,
    ping: async () => {
      await (await engine()).ping();
    },
    container: (id) => read((docker) => docker.getContainer(id).inspect().catch(orUndefined)),
    containers: (label = []) => read((docker) => docker.listContainers({ all: true, filters: { label: [...label] } })),
    image: (ref) => read((docker) => docker.getImage(ref).inspect().catch(orUndefined)),
    dataRoot: () => read(async (docker) => String(((await docker.info()) as { DockerRootDir?: string }).DockerRootDir)),
    tagsOf: (repository) =>
      read(async (docker) => {
        const images = await docker.listImages({ filters: { reference: [repository] } });
        const names = images.flatMap(({ RepoTags }) => RepoTags ?? []);
        return names
          .filter((name) => name.startsWith(`${repository}:`))
          .map((name) => name.slice(repository.length + 1));
      }),
    pull: async (ref, options) => {
      await readPull(await engine(), ref, options);
      if (!(await (await engine()).getImage(ref).inspect().catch(orUndefined)))
        throw new AgentError("image_pull_failed", `${ref} is not there though the download ended well`);
    },
    create: async (name, body) => {
      const call = { _query: { name }, _body: body } as unknown as CreationBody;
      const made = await (await engine()).createContainer(call).catch((error: unknown) => {
        if (hasStatus(error, 409)) throw new AgentError("container_name_taken", name, { cause: error });
        throw error;
      });
      return made.id;
    },
    start: async (id) => {
      await (await engine()).getContainer(id).start().catch(unless(304));
    },
    unpause: async (id) => {
      await (await engine()).getContainer(id).unpause().catch(unless(409, 500));
    },
    rename: async (id, name) => {
      await (await engine()).getContainer(id).rename({ name });
    },
    stop: async (id, grace) => {
      await (await engine()).getContainer(id).stop({ t: grace }).catch(unless(304, 404));
    },
    remove: async (id) => {
      const container = (await engine()).getContainer(id);
      await container.remove({ force: true, v: true }).catch(unless(404, 409));
      await container.wait({ condition: "removed" }).catch(unless(404));
    },
    removeImage: async (ref) => {
      await (await engine()).getImage(ref).remove({ force: true }).catch(unless(404));
    },
    images: () => read((docker) => docker.listImages()),
    removeUnused: async (ref) => {
      try {
        await (await engine()).getImage(ref).remove();
        return true;
      } catch (error) {
        if (hasStatus(error, 404, 409)) return false;
        throw error;
      }
    },
    pruneDangling: async () => reclaimed(await (await engine()).pruneImages({ filters: { dangling: ["true"] } })),
    pruneBuildCache: async () => reclaimed(await ((await engine()) as unknown as BuildPruner).pruneBuilder()),
    logs: async (id, { signal, stamps, ...options }) => {
      const asked = { stdout: true, stderr: true, timestamps: stamps, ...options };
      return streamOf((await engine()).modem as SafeModem, `/containers/${id}/logs?`, asked, signal);
    },
    events: async (since, signal) =>
      (await (
        await engine()
      ).getEvents({
        abortSignal: signal,
        since: Math.floor(since / 1_000),
        filters: { type: ["container"], event: EVENTS },
      })) as unknown as IncomingMessage,
  };
}

/** What its types leave out. */
interface BuildPruner {
  pruneBuilder(): Promise<unknown>;
}

const reclaimed = (answer: unknown): number =>
  Number((answer as { SpaceReclaimed?: number } | null)?.SpaceReclaimed ?? 0);

async function negotiate(socketPath: string, patience: number): Promise<Docker> {
  const asked = dockerOn(new SafeModem({ socketPath, patience }));
  const { ApiVersion } = await asked.version();
  const version = Math.min(Number(ApiVersion), NEWEST_API);
  return dockerOn(new SafeModem({ socketPath, version: `v${version.toFixed(2)}`, patience }));
}

/**
 * dockerode collects what is not followed, however large it is. A signal that the modem knows of makes an error of a stream
 * whose reader has left already, which would end the process; so it only hears of it until the headers.
 */
function streamOf(modem: SafeModem, path: string, options: object, signal: AbortSignal): Promise<IncomingMessage> {
  const statusCodes = { 200: true, 404: "not there", 500: "server error" };
  const early = new AbortController();
  const giveUp = () => early.abort(signal.reason);
  signal.addEventListener("abort", giveUp);
  const call = { path, method: "GET", isStream: true, statusCodes, options, abortSignal: early.signal };
  return new Promise((resolve, reject) => {
    modem.dial(call, (error, answer) => {
      signal.removeEventListener("abort", giveUp);
      if (error) return reject(error);
      const stream = answer as IncomingMessage;
      const cut = () => stream.destroy();
      signal.addEventListener("abort", cut);
      stream.once("close", () => signal.removeEventListener("abort", cut));
      if (signal.aborted) cut();
      resolve(stream);
    });
  });
}

/** The types of dockerode do not know that it takes a modem; its documentation does. */
const dockerOn = (modem: SafeModem): Docker => new Docker({ modem } as unknown as Docker.DockerOptions);

function orUndefined(error: unknown): undefined {
  if (!hasStatus(error, 404)) throw error;
}

const unless =
  (...statuses: number[]) =>
  (error: unknown): void => {
    if (!hasStatus(error, ...statuses)) throw error;
  };
