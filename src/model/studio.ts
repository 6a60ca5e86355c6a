/** What the studio is told, checked: payloads of devices and requests of a second terminal; and what it tells in turn. */
import * as z from "zod";
import { TARGETS } from "./app.ts";
import { APP_NAME } from "./names.ts";
import { WireError } from "./wireRequest.ts";

const digits = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const Key = z.union([z.int().positive(), digits.refine((key) => key > 0)]);
const KeyOrNone = z.union([z.int().nonnegative(), digits]);
const Word = z.string().max(256);
const Stage = z.enum(["PROD", "DEV"]);
/** Another version of the agent may know more states. */
const State = z.string().regex(/^[A-Z]{1,32}$/);
const Flag = z.boolean().default(false);
const FromDevice = z.object({ swarm_key: Key, device_key: Key });

export const DeviceQuestion = z.object({ device_key: Key });
export const StatusReport = FromDevice.extend({
  status: z.enum(["CONFIGURING", "CONNECTED", "EMERGENCY"]),
  wamp_session_id: z.int().positive(),
  stats: z.record(Word, z.union([z.number(), z.boolean()])).nullish(),
});
export const ArchitectureReport = FromDevice.extend({
  architecture: Word,
  os: Word,
  arch: Word,
  variant: Word,
  agent_version: Word,
});
export const PrivilegeQuestion = z
  .object({
    privilege: z.enum(["READ", "DEVELOP", "MAINTAIN", "NETWORK"]),
    entity: z.literal("DEVICE"),
    entity_key: Key,
    requestor_account_key: KeyOrNone,
    swarm_key: Key,
  })
  .transform((question) => ({ ...question, device_key: question.entity_key }));
/** The 12 keys of a report. */
export const AppReport = FromDevice.extend({
  app_key: Key,
  serial_number: Word,
  stage: Stage,
  state: State,
  device_to_app_key: KeyOrNone.default(0),
  requestor_account_key: KeyOrNone.default(0),
  release_key: KeyOrNone.default(0),
  request_update: Flag,
  release_build: Flag,
  updateStatus: z.string().max(64).default(""),
});
export type AppReport = z.output<typeof AppReport>;
export type ArchitectureReport = z.output<typeof ArchitectureReport>;
/** The other form of `update_app_on_device`: which ports of the host the app got. */
export const PortsReport = FromDevice.extend({
  app_key: Key,
  stage: Stage,
  ports: z.array(z.looseObject({ port: z.int().min(1).max(65_535) })).max(1_000),
});
export type PortsReport = z.output<typeof PortsReport>;
export const TokenRequest = z.object({ callerID: KeyOrNone });
export const Testament = FromDevice.extend({ serial_number: Word, wamp_session_id: z.int().positive() });

/** A tag as Docker takes it. */
const Version = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, "is no version");
const AppName = z.string().regex(APP_NAME, "is no name of an app: a-z, 0-9, _ and -, at most 63");
export const NewApp = z.object({
  key: z.int().positive(),
  name: AppName,
  /** Oldest first. */
  versions: z.array(Version).min(1).max(1_000),
});
export type NewApp = z.output<typeof NewApp>;
export const NewDevice = z.object({
  name: z.string().regex(/^[A-Za-z0-9][\w .-]{0,62}$/, "is no name of a device"),
  swarmName: Word.default("studio"),
  owner: Word.default("you"),
  /** As Go spells it: `amd64`, `arm64`. The agent finds out by itself; it only stands in the file. */
  architecture: Word.default(""),
});
export type NewDevice = z.output<typeof NewDevice>;
export const Wish = z.object({
  /** Name or key of the app. */
  app: z.union([z.string().min(1), z.int().positive()]),
  target: z.enum(TARGETS),
  version: Version.optional(),
  /** Name or serial number; may be left out where there is one device. */
  device: z.string().min(1).optional(),
});

/** @throws {WireError} that names the field. */
export function read<Out>(schema: z.ZodType<Out>, value: unknown): Out {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const where = first?.path.join(".");
  throw new WireError(`${where ? `${where}: ` : ""}${first?.message ?? "cannot be read"}`.slice(0, 300));
}

export type LogLine =
  | { readonly is: "output"; readonly text: string }
  /** The agent itself says something. */
  | { readonly is: "agent"; readonly text: string }
  /** The view shall begin anew. */
  | { readonly is: "clear" }
  /** One layer of an image, or a file, on its way. */
  | { readonly is: "progress"; readonly id: string; readonly status: string; readonly progress: string };

const Progress = z.object({ id: Word.default(""), status: z.string(), progress: z.string().default("") });
const BuildMessage = z.object({ type: z.literal("build"), chunk: z.string() });

/** The lines of one message on a log topic. @throws {WireError} for what has none of the three forms. */
export function readLog([message]: readonly unknown[]): LogLine[] {
  if (typeof message === "string") return message.split("\n").map(lineOf);
  const build = BuildMessage.safeParse(message);
  if (build.success) return [saidBy(build.data.chunk)];
  return [{ is: "progress", ...read(Progress, message) }];
}

const saidBy = (chunk: string): LogLine => (chunk === "LOGGER_CLEAR" ? { is: "clear" } : { is: "agent", text: chunk });

/** While an image comes, each line is a progress object of Docker. */
function lineOf(text: string): LogLine {
  if (!text.startsWith('{"status":')) return { is: "output", text };
  try {
    return { is: "progress", ...Progress.parse(JSON.parse(text)) };
  } catch {
    return { is: "output", text };
  }
}

export const DEVICE_STATUSES = ["DISCONNECTED", "CONFIGURING", "CONNECTED", "EMERGENCY"] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** Which device an event is about. */
export interface DeviceName {
  readonly serial: string;
  readonly deviceKey: number;
  readonly name: string;
}

/** What the studio tells whoever runs it, in the order in which it happens. */
export type StudioEvent =
  /** The studio's own line to the router. */
  | { readonly type: "link.up" }
  | { readonly type: "link.down"; readonly because: string }
  | {
      readonly type: "device.status";
      readonly device: DeviceName;
      readonly status: DeviceStatus;
      /** The router's number of its session; 0 if it has none. */
      readonly session: number;
    }
  | {
      readonly type: "device.described";
      readonly device: DeviceName;
      readonly about: ArchitectureReport;
    }
  | { readonly type: "app.reported"; readonly device: DeviceName; readonly report: AppReport }
  | { readonly type: "app.ports"; readonly device: DeviceName; readonly report: PortsReport }
  | {
      readonly type: "log";
      readonly device: DeviceName;
      readonly container: string;
      readonly lines: readonly LogLine[];
    }
  /** Somebody said what cannot be read, or what he may not say. */
  | { readonly type: "problem"; readonly about: string; readonly because: string };

/** What an agent of this make answers to `request_app_state`. */
export const AgentAnswer = z.object({
  outcome: z.enum(["done", "now", "after", "cancels", "refused"]),
  why: z.string().max(4_096),
});

/** What became of a wish. */
export const Granted = z.object({
  app: z.string(),
  device: z.string(),
  target: z.enum(TARGETS),
  version: z.string(),
  /**
   * The agent's own words, `done` to `refused`. accepted: it says none, as the original. kept: the device is not there; it is
   * told when it comes. failed: it answered with an error, or not at all.
   */
  outcome: z.enum([...AgentAnswer.shape.outcome.options, "accepted", "kept", "failed"]),
  why: z.string(),
});
export type Granted = z.output<typeof Granted>;

/** One app on one device. */
export const AppOverview = z.object({
  app: z.string(),
  key: z.int(),
  versions: z.array(z.string()),
  /** Empty as long as there is no device. */
  device: z.string(),
  deviceStatus: z.enum(DEVICE_STATUSES),
  desired: z.object({ target: z.enum(TARGETS), version: z.string() }).optional(),
  reported: z.object({ state: z.string(), version: z.string(), at: z.string() }).optional(),
});
export type AppOverview = z.output<typeof AppOverview>;

/** What the studio's control socket answers: a refusal is an answer too. */
export const ControlAnswer = z.union([z.object({ done: z.unknown() }), z.object({ refused: z.string() })]);
export type ControlAnswer = z.output<typeof ControlAnswer>;
/** What the command line looks at in a .flock file that it was given. */
export const FlockText = z.looseObject({ name: z.string(), serial_number: z.string() });
