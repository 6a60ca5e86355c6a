/**
 * What the demo runs on: an engine (the machine's own if one answers, else a private one), a registry on loopback with the
 * demo's image in it, all in one folder, taken away again at the end.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KEPT } from "../model/names.ts";
import { type ImageRecipe, makeImage, pushImage } from "./demoImage.ts";
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
  /** The versions of the demo's app, as they are called on a registry, and what each runs. */
  readonly images: (registry: string) => readonly Pick<ImageRecipe, "ref" | "script">[];
  /** Name of the app's container. */
  readonly container: string;
  readonly say: (text: string) => void;
}

const DEFAULT_SOCKET = "/var/run/docker.sock";

export async function startParts({ folder, env, images, container, say }: PartsOptions): Promise<DemoParts> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const engineFolder = join(folder, "engine");
  const there = await socketThere(env);
  say(there ? `a Docker engine answers on ${there}` : "starting a private Docker engine");
  const own = there === undefined ? await startEngine({ folder: engineFolder }) : undefined;
  const socket = there ?? own?.socket ?? DEFAULT_SOCKET;
  try {
    const registry = await startRegistry({ folder: join(folder, "registry") });
    say(`putting the demo's images into a registry on ${registry.host}`);
    const recipes = images(registry.host);
    for (const recipe of recipes) {
      await makeImage(socket, recipe);
      await pushImage(socket, recipe.ref);
      await removeImage(socket, recipe.ref);
    }
    return {
      socket,
      registry: registry.host,
      isPrivate: own !== undefined,
      stop: async () => {
        for (const name of own ? [] : [container, `${container}${KEPT}`]) await removeContainer(socket, name);
        for (const { ref } of own ? [] : recipes) await removeImage(socket, ref);
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
