/** What the system says of the agent's own files, as the error that tells what to do. One that is told already stays. */
import { AgentError } from "./errors.ts";

export const storageFailed = (error: unknown): AgentError =>
  error instanceof AgentError ? error : new AgentError("storage_failed", (error as Error).message, { cause: error });
