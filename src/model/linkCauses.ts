/**
 * Why there is no line to the router: what each end means, in one sentence, and what a person can do. One table for machine,
 * status, log and docs/connection.md.
 */

/** lost: dial again soon. refused: the router does not want us as we are. taken: another session has our name. */
export type Ending = "lost" | "refused" | "taken";

export interface LinkCause {
  /** Codes, with `*` for any letters, separated by blanks: of Node, of WAMP, or our own. */
  readonly on: string;
  readonly ending: Ending;
  readonly says: string;
  /** What a person can do; absent where waiting is all. */
  readonly todo?: string;
}

/** The first that fits counts. */
export const LINK_CAUSES: readonly LinkCause[] = [
  {
    ending: "lost",
    on: "ENOTFOUND",
    says: "the router's name is not known",
    todo: "Mend the host in `device_endpoint_url`, or the device's DNS.",
  },
  {
    ending: "lost",
    on: "EAI_AGAIN no_answer_dns",
    says: "the DNS does not answer",
    todo: "See whether the device has a network and a DNS server.",
  },
  {
    ending: "lost",
    on: "ECONNREFUSED",
    says: "nothing listens at the router's address",
    todo: "Start the router, or mend `device_endpoint_url`.",
  },
  {
    ending: "lost",
    on: "ENETUNREACH EHOSTUNREACH ENETDOWN EADDRNOTAVAIL",
    says: "there is no route to the router",
    todo: "See to the device's network.",
  },
  {
    ending: "lost",
    on: "ETIMEDOUT no_answer_tcp",
    says: "the router's address does not answer",
    todo: "See whether a firewall is between.",
  },
  { ending: "lost", on: "no_answer_tls", says: "the server takes the connection and does not answer to TLS" },
  {
    ending: "lost",
    on: "no_answer_upgrade",
    says: "the server takes the connection and does not answer as a WebSocket",
  },
  { ending: "lost", on: "join_deadline", says: "the router took the connection and did not let the device in in time" },
  {
    ending: "lost",
    on: "no_answer_proxy proxy_unreachable",
    says: "the proxy does not answer",
    todo: "Mend HTTP_PROXY or HTTPS_PROXY.",
  },
  {
    ending: "refused",
    on: "proxy_407",
    says: "the proxy wants other credentials",
    todo: "Put them into HTTP_PROXY or HTTPS_PROXY: http://user:password@host:port",
  },
  {
    ending: "refused",
    on: "proxy_403",
    says: "the proxy does not let the device through to the router",
    todo: "Allow CONNECT to the router in the proxy.",
  },
  {
    ending: "refused",
    on: "proxy_unusable",
    says: "the proxy of the environment has no address that can be used",
    todo: "Write http://host:port.",
  },
  { ending: "lost", on: "proxy_*", says: "the proxy does not reach the router" },
  {
    ending: "refused",
    on: "CERT_HAS_EXPIRED",
    says: "the router's certificate has expired",
    todo: "Renew it; or, if it has not, set the device's clock.",
  },
  {
    ending: "refused",
    on: "CERT_NOT_YET_VALID",
    says: "the router's certificate is not yet valid",
    todo: "Set the device's clock; or wait.",
  },
  {
    ending: "refused",
    on: "ERR_TLS_CERT_ALTNAME_INVALID",
    says: "the router's certificate is for another name",
    todo: "Use a name in `device_endpoint_url` that the certificate has.",
  },
  {
    ending: "refused",
    on: "ERR_TLS_PIN_MISMATCH",
    says: "the router's key is not one that is pinned",
    todo: "Put the key that you trust into `tls.pin`.",
  },
  {
    ending: "refused",
    on: "SELF_SIGNED_* DEPTH_ZERO_* UNABLE_TO_*",
    says: "nobody whom the device knows vouches for the router's certificate",
    todo: "Name the file of the router's authority in `tls.ca`, or give the router a certificate that is known.",
  },
  {
    ending: "refused",
    on: "CERT_*",
    says: "the router's certificate cannot be trusted",
    todo: "Name the file of the router's authority in `tls.ca`, or give the router a certificate that is known.",
  },
  {
    ending: "refused",
    on: "ERR_SSL_*ALERT_*CERTIFICATE* ERR_SSL_*ALERT_UNKNOWN_CA",
    says: "the router does not accept the device's certificate",
    todo: "See to `tls.cert` and `tls.key`.",
  },
  {
    ending: "refused",
    on: "ERR_SSL_WRONG_VERSION_NUMBER ERR_SSL_PACKET_LENGTH_TOO_LONG",
    says: "the server does not speak TLS there",
    todo: "Mend scheme and port of `device_endpoint_url`.",
  },
  { ending: "lost", on: "EPROTO ERR_SSL_*", says: "TLS to the router failed" },
  {
    ending: "refused",
    on: "http_3*",
    says: "the server sends us elsewhere, which is not followed",
    todo: "Put the last address into `device_endpoint_url`.",
  },
  {
    ending: "refused",
    on: "no_websocket no_wamp_subprotocol http_400 http_401 http_403 http_404 http_405 http_426",
    says: "the server is no WAMP router",
    todo: "Mend host, port and path of `device_endpoint_url`.",
  },
  { ending: "lost", on: "http_4*", says: "the server does not take the connection now" },
  { ending: "lost", on: "http_5*", says: "the server is there and its router is not" },
  { ending: "lost", on: "ECONN* EPIPE closed* socket_error", says: "the line was cut" },
  { ending: "lost", on: "silent", says: "nothing came from the router for too long" },
  { ending: "lost", on: "back_end_silent", says: "the router answers and the studio's back end does not" },
  {
    ending: "refused",
    on: "wamp.error.no_such_realm",
    says: "the router has no such realm",
    todo: "Mend `wamp.realm`, or make the realm.",
  },
  {
    ending: "refused",
    on: "wamp.error.no_auth_method wamp.error.no_matching_auth_method",
    says: "the router does not offer this way to prove who one is",
    todo: "Choose another `auth.method`.",
  },
  {
    ending: "refused",
    on: "wamp.error.authentication_failed wamp.error.authentication_denied wamp.error.not_authorized wamp.error.no_such_principal wamp.error.authorization_failed wamp.error.no_such_role",
    says: "the router does not accept the device's identity",
    todo: "See that `authid` and `secret` of the .flock file are those that the studio knows.",
  },
  {
    ending: "refused",
    on: "signer_failed",
    says: "the router's challenge cannot be answered",
    todo: "Read the detail, and see to `auth.method` and its secret.",
  },
  {
    ending: "refused",
    on: "auth_downgrade auth_method_changed",
    says: "the router asks for another proof than was offered, and got none",
    todo: "See whether it is the right router.",
  },
  {
    ending: "refused",
    on: "credentials_unreadable",
    says: "a file with credentials cannot be used",
    todo: "Mend the file that the detail names.",
  },
  {
    ending: "refused",
    on: "ERR_OSSL_*",
    says: "certificate and key of this device cannot be used",
    todo: "See that `tls.cert` and `tls.key` are PEM and belong together.",
  },
  {
    ending: "refused",
    on: "ERR_INVALID_URL",
    says: "the router's address is none",
    todo: "Mend `device_endpoint_url`: ws://host:port/path or wss://…",
  },
  {
    ending: "taken",
    on: "wamp.error.procedure_already_exists wamp.error.procedure_exists_with_different_invocation_policy",
    says: "another session has this device's name",
    todo: "See whether a second device has the same .flock file.",
  },
  { ending: "lost", on: "registration_revoked", says: "the router took back one of the device's procedures" },
  { ending: "lost", on: "wamp.close.system_shutdown", says: "the router shut down" },
  { ending: "lost", on: "wamp.*", says: "the router ended the session" },
  { ending: "lost", on: "identity_changed", says: "the studio gave the device another identity" },
  { ending: "lost", on: "bad_* frame_too_big protocol_violation", says: "the peer does not speak WAMP as it should" },
  { ending: "lost", on: "left closed_here", says: "the device left" },
];

const PATTERNS = LINK_CAUSES.map((row) => {
  const one = row.on.split(" ").map((glob) => glob.replaceAll(".", "\\.").replaceAll("*", ".*"));
  return { row, pattern: new RegExp(`^(${one.join("|")})$`) };
});

const causeOf = (because: string): LinkCause | undefined => PATTERNS.find(({ pattern }) => pattern.test(because))?.row;

/** What an end means. Whatever is unknown is a loss. */
export const endingOf = (because: string): Ending => causeOf(because)?.ending ?? "lost";

/** A clock that says less was never set. */
const SENSIBLE = Date.UTC(2025, 0);

/** @param now tells a clock that was never set from a certificate that is at fault. */
export function linkWords(because: string, now: number): Pick<LinkCause, "says" | "todo"> {
  if (/^CERT_/.test(because) && now < SENSIBLE) {
    const day = new Date(now).toISOString().slice(0, 10);
    return { says: `the device's clock is wrong: it says ${day}`, todo: "Set the clock, or wait until it is set." };
  }
  const { says, todo } = causeOf(because) ?? { says: because };
  return todo === undefined ? { says } : { says, todo };
}
