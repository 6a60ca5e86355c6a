/**
 * The `.flock` file on disk. It is read anew whenever its secret is needed, and written only when the studio says something
 * new: all at once, so that whoever reads it at any moment, or after a power cut, finds the old file or the new one.
 * A file that cannot be used is never written.
 */
import { watch as watchFolder } from "node:fs";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Device } from "../model/device.ts";
import { AgentError } from "../model/errors.ts";
import { deviceOf, type Flock, parseFlock, withMetadata } from "../model/flock.ts";
import type { Secret } from "../model/secret.ts";
import type { DeviceMetadata } from "../model/wireReport.ts";
import { codeOf, readSmallFile } from "./smallFile.ts";

/** ms without a change until the file counts as whole. */
const QUIET = 200;
const UNWATCHED =
  "the .flock file cannot be watched: a new secret is found at the next dial, a new address at the next start";
const UNUSABLE = "the .flock file was changed and cannot be used; the router's address stays what it was";

export class FlockFile {
  readonly #path: string;
  #device: Device;
  #lastWrite: Promise<unknown> = Promise.resolve();

  private constructor(path: string, device: Device) {
    this.#path = path;
    this.#device = device;
  }

  /**
   * @param machine Architecture and variant of this device: `armv7`.
   * @throws {AgentError} bad_flock when the file is missing or cannot be used.
   */
  static async open(path: string, machine: string): Promise<FlockFile> {
    return new FlockFile(path, deviceOf(parseFlock(await textOf(path)), machine));
  }

  /** As the file said at the start, and the studio since; the router's address as the file said when it was changed last. */
  device(): Device {
    return this.#device;
  }

  /**
   * As the file says now, so a rotated one is found.
   *
   * @throws {AgentError} bad_flock when the file cannot be used now: the link then says why it does not log in.
   */
  async secret(): Promise<Secret> {
    return this.#read(await textOf(this.#path)).secret;
  }

  /**
   * Takes over what the studio says of this device. True: it belongs to another swarm now. The device is another at once,
   * whatever becomes of the file.
   *
   * @throws {AgentError} storage_failed when the file cannot be written, bad_flock when it cannot be used.
   */
  async update(metadata: DeviceMetadata): Promise<boolean> {
    const { swarmKey } = this.#device;
    this.#device = { ...this.#device, name: metadata.device_name, swarmKey: metadata.swarm_key };
    const write = this.#lastWrite.then(() => this.#write(metadata));
    this.#lastWrite = write.catch(() => {
      // Told to its own caller.
    });
    await write;
    return metadata.swarm_key !== swarmKey;
  }

  /** As `update`; but a file that cannot be written is told to `onProblem`, and the device is another all the same. */
  async takeOver(metadata: DeviceMetadata, onProblem: (error: unknown) => void): Promise<boolean> {
    const { swarmKey } = this.#device;
    await this.update(metadata).catch(onProblem);
    return this.#device.swarmKey !== swarmKey;
  }

  /**
   * Says when somebody has changed the file, once it is quiet again: it may be written in pieces, or replaced. The router's
   * address is the new one then. Answers what ends it. A folder that cannot be watched, and a file that cannot be used, are
   * problems, with the sentence for it.
   */
  watch(onChange: () => void, onProblem: (what: string, error: unknown) => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const name = basename(this.#path);
    const onUnwatched = (error: unknown) => onProblem(UNWATCHED, error);
    const onQuiet = async () => {
      await this.#takeAddress().catch((error: unknown) => onProblem(UNUSABLE, error));
      if (!isOver) onChange();
    };
    try {
      const watcher = watchFolder(dirname(this.#path), { persistent: false }, (_, changed) => {
        if (changed !== null && changed !== name) return;
        clearTimeout(timer);
        timer = setTimeout(onQuiet, QUIET).unref();
      });
      watcher.on("error", onUnwatched);
      return () => {
        isOver = true;
        clearTimeout(timer);
        watcher.close();
      };
    } catch (error) {
      onUnwatched(error);
      return () => {};
    }
  }

  async #takeAddress(): Promise<void> {
    const { device_endpoint_url: endpointUrl } = this.#read(await textOf(this.#path));
    this.#device = { ...this.#device, endpointUrl };
  }

  async #write(metadata: DeviceMetadata): Promise<void> {
    const text = await textOf(this.#path);
    this.#read(text);
    const now = withMetadata(text, metadata);
    if (now !== undefined) await replace(this.#path, now);
  }

  #read(text: string): Flock {
    const flock = parseFlock(text);
    if (flock.serial_number !== this.#device.serial)
      throw new AgentError(
        "bad_flock",
        "serial_number: is another than at the start; restart the agent to be that device",
      );
    return flock;
  }
}

async function textOf(path: string): Promise<string> {
  const text = await readSmallFile(path, "bad_flock");
  if (text === undefined) throw new AgentError("bad_flock", `there is no ${path}`);
  return text;
}

/** Beside the file, to disk, and then in its place. Owner and mode stay; but nobody else may read it from then on. */
async function replace(path: string, text: string): Promise<void> {
  try {
    const real = await realpath(path);
    const { mode, uid, gid } = await stat(real);
    const beside = `${real}.new`;
    await rm(beside, { force: true });
    try {
      await using file = await open(beside, "wx", mode & 0o600);
      const made = await file.stat();
      if (made.uid !== uid || made.gid !== gid) await file.chown(uid, gid);
      await file.writeFile(text);
      await file.sync();
      await rename(beside, real);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await using folder = await open(dirname(real), "r");
    await folder.sync();
  } catch (error) {
    throw new AgentError("storage_failed", `the .flock file (${codeOf(error)})`, { cause: error });
  }
}
