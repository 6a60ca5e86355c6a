/** A wish in the two forms of the wire: a row of `get_requested_app_states`, and the arguments of `request_app_state`. */
import { containerName } from "../model/names.ts";
import type { DeviceRow, WishRow } from "./desiredStates.ts";

type Fields = Record<string, unknown>;

/** What both forms say. The version in `present_version` is the one that is wanted: an agent pulls and runs that. */
function common(wish: WishRow, ownerKey: number): Fields {
  return {
    app_key: wish.appKey,
    app_name: wish.appName,
    stage: "PROD",
    target_state: wish.target,
    manually_requested_state: wish.target,
    current_state: wish.state,
    requestor_account_key: wish.requestor,
    device_owner_account_key: ownerKey,
    release_key: wish.releaseKey,
    new_release_key: wish.newestReleaseKey,
    present_version: wish.version,
    newest_version: wish.newestVersion,
    request_update: false,
    environment: {},
    environment_template: {},
    ports: [],
    app_cred_epoch: 1,
  };
}

/** Without `docker_compose`: its presence alone would make a compose app of it. */
export const requestOf = (wish: WishRow, ownerKey: number): Fields => ({
  ...common(wish, ownerKey),
  version: wish.version,
  cancel_transition: false,
  docker_credentials: {},
});

export function rowOf(device: DeviceRow, wish: WishRow, ownerKey: number): Fields {
  const container = containerName({ app: { stage: "PROD", key: wish.appKey }, name: wish.appName });
  return {
    ...common(wish, ownerKey),
    device_key: device.deviceKey,
    swarm_key: device.swarmKey,
    account_key: ownerKey,
    serial_number: device.serial,
    name: device.name,
    status: device.status,
    architecture: device.architecture,
    address: "",
    device_to_app_key: 0,
    docker_compose: null,
    new_docker_compose: null,
    container_name: container,
    inherit_from_group: false,
    present_image_name: "",
    new_image_name: "",
    description: "",
  };
}
