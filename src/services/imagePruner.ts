/**
 * Takes images away that nobody needs: never one of an app of ours, whatever its version, for the agent sees to those itself;
 * never one that a container is made of; no container, volume or network, which may be somebody's data.
 */
import type { Engine, Image } from "./docker.ts";

export interface ImagePrunerOptions {
  readonly engine: Pick<Engine, "images" | "containers" | "removeUnused" | "pruneDangling" | "pruneBuildCache">;
  /** Repositories of apps of ours. */
  readonly repositories: () => ReadonlySet<string>;
}

export class ImagePruner {
  readonly #options: ImagePrunerOptions;

  constructor(options: ImagePrunerOptions) {
    this.#options = options;
  }

  /**
   * @param all also those that have a name, and the build cache; else only what has none any more.
   * @returns what was done, in words.
   */
  async prune(all: boolean): Promise<string> {
    const { engine } = this.#options;
    const dangling = await engine.pruneDangling();
    const [named, cache] = all ? [await this.#removeNamed(), await engine.pruneBuildCache()] : [[], 0];
    const bytes = named.reduce((sum, { size }) => sum + size, dangling + cache);
    const shown = named.map(({ name }) => `untagged: ${name}\n`).join("");
    return `${shown}Total reclaimed space: ${(bytes / 1e6).toFixed(1)}MB\n`;
  }

  async #removeNamed(): Promise<{ readonly name: string; readonly size: number }[]> {
    const { engine } = this.#options;
    const used = new Set((await engine.containers()).map(({ ImageID }) => ImageID));
    const free = (await engine.images()).filter((image) => !used.has(image.Id) && !this.#isOurs(image));
    const removed: { name: string; size: number }[] = [];
    for (const { RepoTags, Size } of free)
      for (const name of RepoTags ?? []) if (await engine.removeUnused(name)) removed.push({ name, size: Size });
    return removed;
  }

  #isOurs({ RepoTags }: Image): boolean {
    const repositories = this.#options.repositories();
    return (RepoTags ?? []).some((name) => repositories.has(name.slice(0, name.lastIndexOf(":"))));
  }
}
