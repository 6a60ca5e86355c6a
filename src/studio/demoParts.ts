/**
 * What the demo runs on: an engine (the machine's own if one answers, else a private one), a registry on loopback with the
 * demo's image in it, all in one folder, taken away again at the end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeImage, pushImage } from "./demoImage.ts";
import { answers, removeContainer, removeImage, startEngine } from "./dockerd.ts";
import { startRegistry } from "./registry.ts";

export interface DemoParts {
  readonly socket: string;
  /** `127.0.0.1:<port>` */
  readonly registry: string;
  /** True: it is started and stopped by the demo, and holds nothing but the demo. */
  readonly isPrivate: boolean;
  stop(): Promise<void>;
}

export interface PartsOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Repository and version of the demo's app on a registry. */
  readonly image: (registry: string) => string;
  /** Name of the app's container. */
  readonly container: string;
  readonly script: string;
  readonly say: (text: string) => void;
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

export async function startParts({ folder, env, image, container, script, say }: PartsOptions): Promise<DemoParts> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const engineFolder = join(folder, "engine");
  const there = await socketThere(env);
  say(there ? `a Docker engine answers on ${there}` : "starting a private Docker engine");
  const own = there === undefined ? await startEngine({ folder: engineFolder }) : undefined;
  const socket = there ?? own?.socket ?? DEFAULT_SOCKET;
  try {
    const registry = await startRegistry({ folder: join(folder, "registry") });
    const ref = image(registry.host);
    say(`putting the demo's image into a registry on ${registry.host}`);
    await makeImage(socket, { ref, script });
    await pushImage(socket, ref);
    await removeImage(socket, ref);
    return {
      socket,
      registry: registry.host,
      isPrivate: own !== undefined,
      stop: async () => {
        if (!own) await removeContainer(socket, container);
        if (!own) await removeImage(socket, ref);
        await registry.stop();
        await own?.stop();
      },
    };
  } catch (error) {
    await own?.stop();
    throw error;
  }
}

/** The engine that this machine has: DOCKER_HOST, else the default socket, if it answers. */
async function socketThere(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const named = env["DOCKER_HOST"];
  if (named !== undefined && !named.startsWith("unix://"))
    throw new Error(`the demo needs an engine on a unix socket, but DOCKER_HOST is ${named}`);
  const socket = named?.slice("unix://".length) ?? DEFAULT_SOCKET;
  if (await answers(socket)) return socket;
  if (named !== undefined) throw new Error(`no Docker engine answers on ${socket}, which DOCKER_HOST names`);
  return undefined;
}
