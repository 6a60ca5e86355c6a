/** What goes out to the back end, with the spelling of the wire: reports, statuses, and what comes back for them. */
import * as z from "zod";
import type { UpdateStatus, WireState } from "./app.ts";
import type { Device } from "./device.ts";
import { type AppOrder, releaseOf } from "./order.ts";
import { Key } from "./wireRequest.ts";

/** What is said of an app. */
export interface Reported {
  readonly state: WireState;
  /** The version in place. */
  readonly version: string;
  readonly updateStatus?: UpdateStatus | undefined;
}

/** The 12 keys of a report; the back end knows no others. */
export function appReport(device: Device, order: AppOrder, { state, version, updateStatus }: Reported) {
  return {
    app_key: order.app.key,
    device_key: device.deviceKey,
    swarm_key: device.swarmKey,
    serial_number: device.serial,
    stage: order.app.stage,
    state,
    device_to_app_key: 0,
    requestor_account_key: order.requestor,
    release_key: releaseOf(order, version),
    request_update: false,
    release_build: false,
    updateStatus: updateStatus ?? "",
  };
}

/** Figures of the device, bytes and per cent. */
export interface DeviceStats {
  readonly cpu_count: number;
  readonly cpu_usage: number;
  readonly memory_total: number;
  readonly memory_used: number;
  readonly memory_available: number;
  readonly storage_total: number;
  readonly storage_used: number;
  readonly storage_free: number;
  readonly docker_apps_total: number;
  readonly docker_apps_used: number;
  readonly docker_apps_free: number;
  readonly docker_apps_mounted: boolean;
}

export interface Machine {
  /** `linux debian 12 6.1.0`: system, distribution, its version, kernel. */
  readonly os: string;
  /** As Go spells it: `amd64`, `arm64`, `arm`. */
  readonly arch: string;
  /** `v7` for arm, else empty. */
  readonly variant: string;
}

/** A back end that is another version may say more; what is needed has to be there. */
export const DeviceMetadata = z.object({
  device_name: z.string().min(1).max(256),
  swarm_name: z.string().max(256),
  ownername: z.string().max(256),
  swarm_key: Key,
});
export type DeviceMetadata = z.output<typeof DeviceMetadata>;

export const RegistryToken = z.string().min(1).max(16_384);
export const CredentialKey = z.string().min(1).max(4_096);
