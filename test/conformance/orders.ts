/**
 * In which order the original agent says things: states of an app, and calls on a fresh session, as version 0.20.20 was
 * recorded against a router (busybox images, Docker 20.10). Pauses and the order of keys mean nothing.
 */

export interface Recorded {
  readonly scenario: string;
  /** What was asked of the app, in order. */
  readonly asked: readonly string[];
  /** States of `update_app_on_device`, in order. */
  readonly states: readonly string[];
}

export const RECORDED = {
  install: {
    scenario: "install by pull, then run",
    asked: ["PRESENT", "RUNNING"],
    states: ["DOWNLOADING", "PRESENT", "STARTING", "RUNNING"],
  },
  runAndStop: {
    scenario: "run and stop, with the image here, then away with it (there: uninstall)",
    asked: ["RUNNING", "PRESENT", "REMOVED"],
    states: ["STARTING", "RUNNING", "STOPPING", "STOPPING", "PRESENT", "DELETING", "REMOVED"],
  },
  crash: {
    scenario: "a container that ends with 7, and comes back",
    asked: ["RUNNING"],
    states: ["STARTING", "RUNNING", "FAILED", "STARTING", "RUNNING"],
  },
} as const satisfies Record<string, Recorded>;

/** What is called on a fresh session, up to the registrations and after them. */
export const ON_CONNECT = [
  "wamp.session.add_testament",
  "reswarm.devices.read_device_metadata",
  "reswarm.devices.get_app_cred_key",
  "reswarm.devices.update_device_status CONFIGURING",
  "reswarm.devices.update_device_architecture",
  "reswarm.containers.get_requested_app_states",
  "reswarm.devices.update_device_status CONNECTED",
] as const;
