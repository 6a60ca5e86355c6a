/** The .flock file of a device: what an agent needs to know to find its studio and to prove who it is. */
import type { DeviceRow } from "./desiredStates.ts";

/** All fields that agents know, with the spelling of the file. The secret is in it: mode 0600, and for the device alone. */
export function flockOf(device: DeviceRow, endpointUrl: string) {
  const { architecture } = device;
  return {
    name: device.name,
    secret: device.secret,
    board: {
      cpu: "",
      docs: null,
      board: "",
      model: "generic",
      boardname: "",
      modelname: "",
      reflasher: false,
      architecture,
    },
    status: "DISCONNECTED",
    password: "",
    wlanssid: "",
    swarm_key: device.swarmKey,
    device_key: device.deviceKey,
    swarm_name: device.swarmName,
    swarm_owner_name: device.owner,
    description: null,
    architecture,
    serial_number: device.serial,
    authentication: { key: "", certificate: "" },
    config_passphrase: "",
    device_endpoint_url: endpointUrl,
    environment: "local",
    docker_registry_url: `${device.registry}/`,
    "insecure-registries": device.registry,
    docker_main_repository: "apps/",
    appliance_domain: "",
    update_url: "",
  };
}
export type Flock = ReturnType<typeof flockOf>;
