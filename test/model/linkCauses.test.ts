import { expect, test } from "vitest";

import { endingOf, LINK_CAUSES, linkWords } from "../../src/model/linkCauses.ts";

const NOW = Date.UTC(2026, 5);

/** What one can be told, by what a person would call it; and whether only a person can help. */
const CAUSES: readonly [string, string, "lost" | "refused" | "taken"][] = [
  ["ENOTFOUND", "the router's name is not known", "lost"],
  ["EAI_AGAIN", "the DNS does not answer", "lost"],
  ["ECONNREFUSED", "nothing listens at the router's address", "lost"],
  ["ENETUNREACH", "there is no route to the router", "lost"],
  ["EHOSTUNREACH", "there is no route to the router", "lost"],
  ["no_answer_tcp", "the router's address does not answer", "lost"],
  ["no_answer_tls", "the server takes the connection and does not answer to TLS", "lost"],
  ["no_answer_upgrade", "the server takes the connection and does not answer as a WebSocket", "lost"],
  ["join_deadline", "the router took the connection and did not let the device in in time", "lost"],
  ["proxy_unreachable", "the proxy does not answer", "lost"],
  ["proxy_407", "the proxy wants other credentials", "refused"],
  ["proxy_403", "the proxy does not let the device through to the router", "refused"],
  ["proxy_unusable", "the proxy of the environment has no address that can be used", "refused"],
  ["proxy_502", "the proxy does not reach the router", "lost"],
  ["CERT_HAS_EXPIRED", "the router's certificate has expired", "refused"],
  ["CERT_NOT_YET_VALID", "the router's certificate is not yet valid", "refused"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "the router's certificate is for another name", "refused"],
  ["ERR_TLS_PIN_MISMATCH", "the router's key is not one that is pinned", "refused"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "nobody whom the device knows vouches for the router's certificate", "refused"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "nobody whom the device knows vouches for the router's certificate", "refused"],
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "the router does not accept the device's certificate", "refused"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "the router does not accept the device's certificate", "refused"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "the server does not speak TLS there", "refused"],
  ["http_301", "the server sends us elsewhere, which is not followed", "refused"],
  ["http_404", "the server is no WAMP router", "refused"],
  ["http_429", "the server does not take the connection now", "lost"],
  ["http_503", "the server is there and its router is not", "lost"],
  ["no_wamp_subprotocol", "the server is no WAMP router", "refused"],
  ["no_websocket", "the server is no WAMP router", "refused"],
  ["wamp.error.no_such_realm", "the router has no such realm", "refused"],
  ["wamp.error.authentication_failed", "the router does not accept the device's identity", "refused"],
  ["wamp.error.not_authorized", "the router does not accept the device's identity", "refused"],
  ["wamp.error.no_auth_method", "the router does not offer this way to prove who one is", "refused"],
  ["wamp.error.no_matching_auth_method", "the router does not offer this way to prove who one is", "refused"],
  ["wamp.close.system_shutdown", "the router shut down", "lost"],
  ["wamp.close.killed", "the router ended the session", "lost"],
  ["wamp.close.normal", "the router ended the session", "lost"],
  ["wamp.error.procedure_already_exists", "another session has this device's name", "taken"],
  ["wamp.error.procedure_exists_with_different_invocation_policy", "another session has this device's name", "taken"],
  ["registration_revoked", "the router took back one of the device's procedures", "lost"],
  ["silent", "nothing came from the router for too long", "lost"],
  ["back_end_silent", "the router answers and the studio's back end does not", "lost"],
  ["closed_1006", "the line was cut", "lost"],
  ["closed_1000", "the line was cut", "lost"],
  ["ECONNRESET", "the line was cut", "lost"],
  ["bad_json", "the peer does not speak WAMP as it should", "lost"],
  ["credentials_unreadable", "a file with credentials cannot be used", "refused"],
  ["signer_failed", "the router's challenge cannot be answered", "refused"],
  ["ERR_OSSL_X509_KEY_VALUES_MISMATCH", "certificate and key of this device cannot be used", "refused"],
  ["ERR_INVALID_URL", "the router's address is none", "refused"],
];

test.each(CAUSES)("%s: %s (%s)", (because, says, ending) => {
  expect(linkWords(because, NOW).says).toBe(says);
  expect(endingOf(because)).toBe(ending);
});

test("whatever only a person can mend says how", () => {
  const mute = LINK_CAUSES.filter(({ ending, todo }) => ending !== "lost" && !todo);
  expect(mute).toEqual([]);
});

test("a clock that was never set is told instead of the certificate that it makes look wrong", () => {
  expect(linkWords("CERT_NOT_YET_VALID", 0).says).toBe("the device's clock is wrong: it says 1970-01-01");
  expect(linkWords("ECONNREFUSED", 0).says).toBe("nothing listens at the router's address");
});

test("what nobody has thought of is told by its own word", () => {
  expect(linkWords("ENEWS", NOW)).toEqual({ says: "ENEWS" });
});
