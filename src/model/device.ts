/** What the services know of this device: from the .flock file, the command line and the engine. No secret is in it. */

export interface Device {
  readonly serial: string;
  readonly deviceKey: number;
  readonly swarmKey: number;
  readonly name: string;
  readonly endpointUrl: string;
  /** With a trailing slash each, put together plainly. */
  readonly registryUrl: string;
  readonly repository: string;
  /** Domain of the tunnels' server, if the file names one. */
  readonly applianceDomain: string;
  /** Architecture and variant as images are named by: `amd64`, `armv7`. */
  readonly machine: string;
}

/** What of the device a container may touch. `full` is privileged, as the original's containers are. */
export type Access = "none" | "full" | readonly string[];

/** How containers are made on this device. */
export interface ContainerPolicy {
  readonly access: Access;
  /** Whether they get the runtime of a GPU. */
  readonly gpu: "auto" | "on" | "off";
  /** How many checks in a row make one unhealthy; undefined: what its image says. */
  readonly unhealthyChecks?: number | undefined;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopGrace: number;
  /** Folder of `shared` and of each app's data. */
  readonly appsDir: string;
}
