/** Words of the agent in an app's log that follow from a state. The first two are the original's, letter for letter. */
import type { Memory, Stage } from "./app.ts";
import type { AgentError } from "./errors.ts";

interface Crash {
  readonly name: string;
  readonly stage: Stage;
  readonly error: AgentError | undefined;
  readonly exitCode: number | undefined;
  readonly memory: Memory;
  readonly now: number;
}

/** What happened, and what happens next. */
export function crashSayings({ name, stage, error, exitCode, memory, now }: Crash): string[] {
  const what =
    error?.code === "container_exited" && exitCode !== undefined
      ? `${name} (${stage}) exited with status code: ${exitCode}`
      : `${name} (${stage}) failed: ${error?.message ?? "nobody knows why"}`;
  const until = memory.wait?.until;
  const next =
    until === undefined
      ? `${name} (${stage}) is not tried again by itself`
      : `Entered a crashloop (${ordinal(memory.failures)} attempt), retrying in ${(Math.max(until - now, 0) / 1_000).toFixed(3)}s`;
  return [what, next];
}

interface SetAside {
  readonly name: string;
  readonly stage: Stage;
  readonly setAside: NonNullable<Memory["setAside"]>;
  readonly error: AgentError | undefined;
  readonly now: number;
}

/** Why a version is not what runs, and whether that changes by itself. */
export function setAsideSayings({
  name,
  stage,
  setAside: { version, because, until },
  error,
  now,
}: SetAside): string[] {
  const why = error?.code === because ? error.message : because;
  const next =
    until === undefined
      ? "it is not tried again until somebody asks for it, or a newer one comes"
      : `it is tried again in ${(Math.max(until - now, 0) / 1_000).toFixed(3)}s`;
  return [`${name} (${stage}): version ${version} is set aside: ${why}`, `Version ${version}: ${next}`];
}

function ordinal(n: number): string {
  const isTeen = n % 100 >= 11 && n % 100 <= 13;
  const ending = isTeen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}
