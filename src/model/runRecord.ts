/** What is kept of one run of an app: from a start to an end, with its result. Times are ms since 1970. */
import * as z from "zod";
import { Key } from "./wireRequest.ts";

export const RunRecord = z.object({
  /** `5f3a1c0d9e21-1795736895`: the container, and when it started; a restart of the same container is another run. */
  run: z.string(),
  version: z.string(),
  /** Digest of the image's configuration: `sha256:...`. */
  image: z.string().optional(),
  begin: z.number(),
  /** Absent while it runs. */
  end: z.number().optional(),
  /** Absent where nobody knows. */
  exitCode: z.int().optional(),
  /** `SIGKILL`, where one ended it. */
  signal: z.string().optional(),
  outOfMemory: z.boolean().optional(),
  /** Why it ended, in words. */
  reason: z.string().optional(),
  /** The last lines of its output. */
  lastLines: z.array(z.string()),
});
export type RunRecord = z.output<typeof RunRecord>;

/** As many are kept of each app. */
export const MOST_RUNS = 20;
export const MOST_LINES = 20;

export const RunRecords = z.object({ app: z.string(), name: z.string(), runs: z.array(RunRecord) });
export type RunRecords = z.output<typeof RunRecords>;

/** What `get_app_runs` is asked. */
export const RunsQuestion = z.object({ app_key: Key, stage: z.enum(["DEV", "PROD"]).default("PROD") });

export const runId = ({ id, startedAt }: { readonly id: string; readonly startedAt: number }): string =>
  `${id.slice(0, 12)}-${Math.floor(startedAt / 1_000)}`;
