/** Each state of an app in a few words: for docs/lifecycle.md, for answers to callers, and for whoever asks where it is. */
import type { State } from "./outcomes.ts";

interface StateWords {
  /** What is going on, or that nothing is. Follows "it is" or "when this is over:". */
  readonly says: string;
  /** What the back end is told. */
  readonly wire: string;
}

export const STATE_WORDS: Readonly<Record<State, StateWords>> = {
  "unsure.reconciling": { says: "looking at the engine", wire: "as before" },
  "unsure.unknown": { says: "waiting for the Docker engine", wire: "as before" },
  "absent.removed": { says: "not on this device", wire: "REMOVED" },
  "absent.uninstalling": { says: "removing the data", wire: "REMOVED" },
  "absent.uninstalled": { says: "not on this device, nor are its data", wire: "UNINSTALLED" },
  pulling: { says: "downloading the image", wire: "DOWNLOADING; UPDATING where an older version is here" },
  present: { says: "here, and not running", wire: "PRESENT" },
  "active.creating": { says: "making the container", wire: "STARTING" },
  "active.starting": { says: "starting the container", wire: "STARTING" },
  "active.running.settling": { says: "running, for less than ten minutes", wire: "RUNNING" },
  "active.running.steady": { says: "running", wire: "RUNNING" },
  "active.halting": { says: "stopping a container that is not healthy", wire: "STOPPING" },
  "active.updating.pulling": { says: "downloading the new version", wire: "UPDATING" },
  "active.updating.swapping": { says: "putting the new version in place", wire: "UPDATING" },
  "active.updating.probation": { says: "seeing whether the new version stays up", wire: "UPDATING" },
  "active.updating.committing": { says: "removing the old version", wire: "UPDATING" },
  "active.updating.rollingBack": { says: "putting the old version back", wire: "UPDATING" },
  stopping: { says: "stopping the container", wire: "STOPPING" },
  removing: { says: "removing container and image", wire: "DELETING" },
  "crashed.waiting": { says: "waiting to be tried again", wire: "FAILED" },
  "crashed.held": { says: "waiting for somebody to ask", wire: "FAILED" },
};
