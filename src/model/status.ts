/** What the agent answers when it is asked for its status: all of it, for eyes and for programs. Times are ms since 1970. */
import * as z from "zod";
import { TakenOver } from "./takenOver.ts";

const Time = z.number();
const Problem = z.object({ about: z.string(), code: z.string(), says: z.string(), since: Time });

const App = z.object({
  stage: z.enum(["DEV", "PROD"]),
  key: z.int(),
  name: z.string(),
  /** As a path: `active.running.settling`. */
  state: z.string(),
  /** What the back end is told, once anything is. */
  wire: z.string().optional(),
  since: Time,
  target: z.string(),
  /** The one that is wanted. */
  version: z.string(),
  /** The one whose container is there, if there is one. */
  here: z.string().optional(),
  /** A version that is not tried: until a time, or until somebody asks for it or a newer one comes. */
  setAside: z.object({ version: z.string(), because: z.string(), says: z.string(), until: Time.optional() }).optional(),
  /** While a newer version is on trial: the one that it goes back to. */
  wayBack: z.string().optional(),
  failures: z.int(),
  /** When it is tried again by itself. */
  retryAt: Time.optional(),
  error: z.object({ code: z.string(), says: z.string(), todo: z.string() }).optional(),
});

export const Status = z.object({
  version: z.string(),
  pid: z.int(),
  since: Time,
  serial: z.string(),
  home: z.string(),
  link: z.object({
    state: z.string(),
    since: Time,
    url: z.string(),
    /** How the last link ended. */
    because: z.string().optional(),
    /** The same in a sentence, what a person can do, and what the sentence leaves out. */
    says: z.string().optional(),
    todo: z.string().optional(),
    detail: z.string().optional(),
    failures: z.int().optional(),
    retryAt: Time.optional(),
  }),
  engine: z.object({
    state: z.string(),
    since: Time,
    socket: z.string(),
    because: z.string().optional(),
    retryAt: Time.optional(),
  }),
  /** From an original agent, at the first start. */
  takenOver: TakenOver.optional(),
  apps: z.array(App),
  problems: z.array(Problem),
});
export type Status = z.output<typeof Status>;
export type AppStatus = z.output<typeof App>;

/** The answer to `retry` and `hold`. */
export const Woken = z.object({ app: z.string(), outcome: z.string(), why: z.string() });
