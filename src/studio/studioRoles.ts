/** Who may do what on a studio's router, whichever one it is. */
import { EVERYTHING, type Roles } from "./router/access.ts";

/** A testament is a publication, so its topic needs a rule too. */
export const ROLES: Roles = {
  device: [
    { uri: "re.mgmt.{serial}.", match: "prefix", allow: ["register", "publish", "subscribe"] },
    { uri: "reswarm.logs.{serial}.", match: "prefix", allow: ["publish"] },
    { uri: "reswarm.api.testament_device", allow: ["publish"] },
    { uri: "reswarm.devices.", match: "prefix", allow: ["call"], disclose: true },
    { uri: "reswarm.containers.", match: "prefix", allow: ["call"], disclose: true },
    { uri: "wamp.session.add_testament", allow: ["call"] },
    { uri: "wamp.session.flush_testaments", allow: ["call"] },
    { uri: "wamp.subscription.match", allow: ["call"] },
    { uri: "wamp.subscription.on_create", allow: ["subscribe"] },
    { uri: "wamp.subscription.on_delete", allow: ["subscribe"] },
    { uri: "wamp.registration.on_unregister", allow: ["subscribe"] },
    // The original agent subscribes to this very text.
    { uri: "reswarm.device.%d.list/ondestroy", allow: ["subscribe"] },
  ],
  operator: [
    { uri: "re.mgmt.", match: "prefix", allow: ["call", "subscribe"], disclose: true },
    { uri: "reswarm.logs.", match: "prefix", allow: ["subscribe"] },
  ],
  backend: EVERYTHING,
};
