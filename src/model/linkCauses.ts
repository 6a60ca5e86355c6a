/** Why there is no line to the router, in one sentence each: for the status and the log. */

type Row = readonly [of: RegExp, says: string, todo?: string];

const SECRET = "See that `authid` and `secret` of the .flock file are those that the studio knows.";
const AUTHORITY =
  "Name the file of the router's authority in `tls.ca`, or give the router a certificate that is known.";

/** The first that fits counts. */
const TABLE: readonly Row[] = [
  [/^ENOTFOUND$/, "the router's name is not known", "Mend the host in `device_endpoint_url`, or the device's DNS."],
  [/^(EAI_AGAIN|no_answer_dns)$/, "the DNS does not answer", "See whether the device has a network and a DNS server."],
  [/^ECONNREFUSED$/, "nothing listens at the router's address", "Start the router, or mend `device_endpoint_url`."],
  [
    /^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL)$/,
    "there is no route to the router",
    "See to the device's network.",
  ],
  [/^(ETIMEDOUT|no_answer_tcp)$/, "the router's address does not answer", "See whether a firewall is between."],
  [/^no_answer_tls$/, "the server takes the connection and does not answer to TLS"],
  [/^no_answer_upgrade$/, "the server takes the connection and does not answer as a WebSocket"],
  [/^join_deadline$/, "the router took the connection and did not let the device in in time"],
  [/^(no_answer_proxy|proxy_unreachable)$/, "the proxy does not answer", "Mend HTTP_PROXY or HTTPS_PROXY."],
  [
    /^proxy_407$/,
    "the proxy wants other credentials",
    "Put them into HTTP_PROXY or HTTPS_PROXY: http://user:password@host:port",
  ],
  [
    /^proxy_40\d$/,
    "the proxy does not let the device through to the router",
    "Allow CONNECT to the router in the proxy.",
  ],
  [/^proxy_unusable$/, "the proxy of the environment has no address that can be used", "Write http://host:port."],
  [/^proxy_/, "the proxy does not reach the router"],
  [
    /^CERT_HAS_EXPIRED$/,
    "the router's certificate has expired",
    "Renew it; or, if it has not, set the device's clock.",
  ],
  [/^CERT_NOT_YET_VALID$/, "the router's certificate is not yet valid", "Set the device's clock; or wait."],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the router's certificate is for another name",
    "Use a name in `device_endpoint_url` that the certificate has.",
  ],
  [
    /^ERR_TLS_PIN_MISMATCH$/,
    "the router's key is not one that is pinned",
    "Put the key that you trust into `tls.pin`.",
  ],
  [
    /^(SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/,
    "nobody whom the device knows vouches for the router's certificate",
    AUTHORITY,
  ],
  [/^CERT_/, "the router's certificate cannot be trusted", AUTHORITY],
  [
    /^ERR_SSL_\w*ALERT_\w*(CERTIFICATE|UNKNOWN_CA)/,
    "the router does not accept the device's certificate",
    "See to `tls.cert` and `tls.key`.",
  ],
  [
    /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/,
    "the server does not speak TLS there",
    "Mend scheme and port of `device_endpoint_url`.",
  ],
  [/^(EPROTO|ERR_SSL_)/, "TLS to the router failed"],
  [
    /^http_3/,
    "the server sends us elsewhere, which is not followed",
    "Put the last address into `device_endpoint_url`.",
  ],
  [
    /^(no_websocket|no_wamp_subprotocol|http_4)/,
    "the server is no WAMP router",
    "Mend host, port and path of `device_endpoint_url`.",
  ],
  [/^http_5/, "the server is there and its router is not"],
  [/^(ECONN|EPIPE|closed|socket_error)/, "the line was cut"],
  [/^silent$/, "nothing came from the router for too long"],
  [/^back_end_silent$/, "the router answers and the studio's back end does not"],
  [/no_such_realm$/, "the router has no such realm", "Mend `wamp.realm`, or make the realm."],
  [
    /(no_auth_method|no_matching_auth_method)$/,
    "the router does not offer this way to prove who one is",
    "Choose another `auth.method`.",
  ],
  [
    /(authentication_failed|authentication_denied|not_authorized|no_such_principal|authorization_failed|no_such_role)$/,
    "the router does not accept the device's identity",
    SECRET,
  ],
  [
    /^signer_failed$/,
    "the router's challenge cannot be answered",
    "Read the detail, and see to `auth.method` and its secret.",
  ],
  [/^auth_/, "the router asks for another proof than was offered; it got nothing"],
  [/^credentials_unreadable$/, "a file with credentials cannot be used", "Mend the file that the detail names."],
  [
    /^ERR_OSSL_/,
    "certificate and key of this device cannot be used",
    "See that `tls.cert` and `tls.key` are PEM and belong together.",
  ],
  [/^ERR_INVALID_URL$/, "the router's address is none", "Mend `device_endpoint_url`: ws://host:port/path or wss://…"],
  [
    /procedure_already_exists$|different_invocation_policy$/,
    "another session has this device's name",
    "See whether a second device has the same .flock file.",
  ],
  [/^registration_revoked$/, "the router took back one of the device's procedures"],
  [/system_shutdown$/, "the router shut down"],
  [/^wamp\./, "the router ended the session"],
  [/^(bad_|frame_too_big|protocol_violation)/, "the peer does not speak WAMP as it should"],
  [/^(left|closed_here)$/, "the device left"],
];

export interface LinkWords {
  readonly says: string;
  /** What a person can do; absent where waiting is all. */
  readonly todo?: string;
}

/** An hour of 2025: a clock that says less was never set. */
const SENSIBLE = Date.UTC(2025, 0);

/** @param now tells a clock that was never set from a certificate that is at fault. */
export function linkWords(because: string, now: number): LinkWords {
  if (/^CERT_/.test(because) && now < SENSIBLE) {
    const day = new Date(now).toISOString().slice(0, 10);
    return { says: `the device's clock is wrong: it says ${day}`, todo: "Set the clock, or wait until it is set." };
  }
  const [, says = because, todo] = TABLE.find(([of]) => of.test(because)) ?? [];
  return todo === undefined ? { says } : { says, todo };
}
