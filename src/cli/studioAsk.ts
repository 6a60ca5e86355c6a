/** Asks a studio that runs in another terminal, and turns whatever comes of it into lines and an exit code. */
import { resolve } from "node:path";
import { AgentError } from "../model/errors.ts";
import { ControlAnswer } from "../model/studio.ts";
import { ask } from "../services/controlClient.ts";
import { defaultStudioFolder, studioSocket } from "../studio/studioFolder.ts";
import type { CommandContext, ExitCode } from "./command.ts";

export interface Question {
  /** The value of `--studio`. */
  readonly folder: string | undefined;
  readonly name: "apps" | "desire" | "add_app" | "add_device";
  readonly params?: object;
}

/** The folder of the studio that is meant. */
export const folderOf = (given: string | undefined, { env }: CommandContext): string =>
  resolve(given ?? defaultStudioFolder(env));

/** `then` gets what the studio did, and prints it. */
export async function askStudio(
  context: CommandContext,
  { folder, name, params }: Question,
  then: (done: unknown) => ExitCode,
): Promise<ExitCode> {
  const path = studioSocket(folderOf(folder, context));
  let answer: ControlAnswer;
  try {
    answer = ControlAnswer.parse(await ask(path, name, params, { within: 20_000 }));
  } catch (error) {
    return complain(context, path, error);
  }
  if ("done" in answer) return then(answer.done);
  context.complain(answer.refused);
  return 1;
}

function complain(context: CommandContext, path: string, error: unknown): ExitCode {
  if (error instanceof AgentError && error.code === "agent_not_running") {
    context.complain(
      `no studio answers on ${path}; start one with \`reagent studio\`, or name its folder with --studio`,
    );
    return 3;
  }
  context.complain(error instanceof Error ? error.message : String(error));
  return 1;
}
