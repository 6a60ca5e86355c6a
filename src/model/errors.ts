/**
 * Every way the agent can fail, in one table: when it is tried again, what it says, and what a person should do.
 *
 * `retry` is the whole retry policy: machines ask for it and for nothing else. docs/errors.md has one heading per code,
 * and a test keeps the two equal.
 */
const TABLE = {
  engine_unreachable: {
    retry: "when it is back",
    says: "the Docker engine does not answer",
    todo: "See whether the engine runs (`docker info`) and whether `docker.socket` names its socket.",
  },
  engine_timeout: {
    retry: "with backoff",
    says: "the Docker engine did not answer in time",
    todo: "The engine is overloaded or frozen; the call may still have landed, so the agent looks again.",
  },
  engine_full: {
    retry: "with backoff",
    says: "the disk of the Docker engine is full",
    todo: "Free space under the engine's data folder, for example with `docker system df` and `docker image prune`.",
  },
  image_not_found: {
    retry: "on request",
    says: "the registry has no such image",
    todo: "Publish the version, or ask for one that is there.",
  },
  image_refused: {
    retry: "on request",
    says: "this image must not be run",
    todo: "The image brings labels that belong to the agent; build it without them.",
  },
  image_not_built: {
    retry: "on request",
    says: "this development app was not built on this device",
    todo: "Build it in the studio; the agent downloads no development apps.",
  },
  registry_refused: {
    retry: "with backoff",
    says: "the registry does not let this device download the image",
    todo: "See in the studio whether the device's owner may use the app, and whether the registry's credentials are right.",
  },
  image_pull_failed: {
    retry: "with backoff",
    says: "the image could not be downloaded",
    todo: "See whether the registry can be reached from the device; the agent tries again by itself.",
  },
  container_failed: {
    retry: "with backoff",
    says: "the container could not be made, started or removed",
    todo: "Read the engine's sentence; the agent tries again by itself.",
  },
  container_exited: {
    retry: "with backoff",
    says: "the container ended by itself",
    todo: "Read the app's last lines (`reagent runs <app>`); the agent starts it again after the wait.",
  },
  container_ended: {
    retry: "on request",
    says: "the container ended, and its label says that it is not started again",
    todo: "Ask for it again to run it once more, or change the image's label `reagent.restart`.",
  },
  container_unhealthy: {
    retry: "with backoff",
    says: "the container's health check fails",
    todo: "Read the app's last lines (`reagent runs <app>`); the agent starts it again after the wait.",
  },
  container_name_taken: {
    retry: "on request",
    says: "a container that is not ours has the name that is needed",
    todo: "Rename or remove that container by hand; the agent never touches what it did not make.",
  },
  bad_configuration: {
    retry: "on request",
    says: "the engine refuses this configuration",
    todo: "Mend the app's configuration and ask again.",
  },
  router_unreachable: {
    retry: "with backoff",
    says: "the router does not answer",
    todo: "See whether `device_endpoint_url` can be reached from the device; the agent dials again by itself.",
  },
  router_refused: {
    retry: "slowly",
    says: "the router does not accept this device",
    todo: "See whether the secret in the .flock file is the one that the studio knows.",
  },
  duplicate_device: {
    retry: "slowly",
    says: "another live session holds this device's name",
    todo: "Find the second device with this serial number and give it an identity of its own.",
  },
  request_failed: {
    retry: "with backoff",
    says: "a call over the link failed",
    todo: "Read the detail; what matters is asked again by itself.",
  },
  back_end_failed: {
    retry: "with backoff",
    says: "the studio's back end did not answer as it should",
    todo: "The device goes on with what it knows and asks again; look at the back end.",
  },
  list_doubted: {
    retry: "with backoff",
    says: "the studio's list leaves out much of what runs here, so nothing is removed yet",
    todo: "If that is what you want, wait a minute: a second list that says the same counts. Else look at the back end.",
  },
  bad_flock: {
    retry: "on request",
    says: "the .flock file cannot be used",
    todo: "Mend the field that is named, or download the file again. The agent never overwrites it.",
  },
  bad_settings: {
    retry: "on request",
    says: "a setting cannot be used",
    todo: "Mend the setting that is named; docs/config.md lists them all.",
  },
  already_running: {
    retry: "on request",
    says: "another agent runs on this device",
    todo: "Stop it first, or give this one a home of its own and `lock.machine: off`.",
  },
  storage_failed: {
    retry: "with backoff",
    says: "the agent cannot write to its disk",
    todo: "Free disk space and see whether the file that is named may be written; nothing was changed.",
  },
  unknown_app: {
    retry: "on request",
    says: "there is no such app on this device",
    todo: "`reagent status` lists the apps: name one by its name, its key, or as `PROD:42`.",
  },
  agent_not_running: {
    retry: "on request",
    says: "no agent answers on the control socket",
    todo: "Start one, or name the home of the one that runs with `-agentDir` or REAGENT_HOME.",
  },
  unsupported: {
    retry: "on request",
    says: "this version of the agent does not do that yet",
    todo: "Ask for something that it does, or run an agent that can; what is there stays as it is.",
  },
  missing_program: {
    retry: "on request",
    says: "a program that is needed is not there",
    todo: "Install what is named, or let `npm start` do it on Debian or Ubuntu as root.",
  },
  studio_refused: {
    retry: "on request",
    says: "the studio cannot do this",
    todo: "Read what it says; `reagent studio apps` lists the apps, their versions and the devices.",
  },
  not_wired: { retry: "on request", says: "main.ts provides no logic for an actor slot", todo: "Report this defect." },
  internal: { retry: "on request", says: "a defect in the agent", todo: "Report this defect with the agent's log." },
} as const satisfies Record<string, { retry: Retry; says: string; todo: string }>;

/** When a failure is tried again: by itself after a growing wait, rarely, when the engine is back, or only when asked. */
export type Retry = "with backoff" | "slowly" | "when it is back" | "on request";
export type ErrorCode = keyof typeof TABLE;
export const ERROR_CODES = Object.keys(TABLE) as readonly ErrorCode[];

/** The row of a code: for docs/errors.md, and for a person who reads the status. */
export const errorRow = (code: ErrorCode): { retry: Retry; says: string; todo: string } => TABLE[code];

/** The only error that crosses a folder boundary: services throw it, machines branch on `retry`, a person reads `code`. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly code: ErrorCode;
  /** What the table does not know: which file, what the engine said. With the code it makes the same error again. */
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail ? `${TABLE[code].says}: ${detail}` : TABLE[code].says, options);
    this.code = code;
    this.detail = detail;
  }

  get retry(): Retry {
    return TABLE[this.code].retry;
  }

  /** Turns whatever was thrown into an AgentError; a stranger becomes `internal` and keeps its cause. */
  static from(thrown: unknown): AgentError {
    if (thrown instanceof AgentError) return thrown;
    return new AgentError("internal", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
  }
}
