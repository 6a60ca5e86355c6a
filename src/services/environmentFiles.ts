/**
 * The user's variables as files, `/data/env/<NAME>.txt`: one for each, also for what is too large for an environment. The
 * folder is in the hands of the app, so nothing in it is followed or trusted: all is reached by the folder's own handle.
 */
import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AgentError } from "../model/errors.ts";
import { codeOf } from "./smallFile.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** @param data the app's data folder, its real path. @throws {AgentError} bad_configuration where something else is there. */
export async function writeEnvironment(data: string, variables: Readonly<Record<string, string>>): Promise<void> {
  const path = join(data, "env");
  const names = Object.keys(variables);
  if (names.length === 0 && !(await isThere(path))) return;
  try {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    await using folder = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    await folder.chmod(0o700);
    const here = `/proc/self/fd/${folder.fd}`;
    for (const old of await readdir(here)) await rm(join(here, old), { recursive: true, force: true });
    for (const name of names) {
      await using file = await open(join(here, `${name}.txt`), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      await file.writeFile(variables[name] ?? "");
    }
  } catch (error) {
    throw new AgentError("bad_configuration", `${path} cannot hold the app's variables (${codeOf(error)})`, {
      cause: error,
    });
  }
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
