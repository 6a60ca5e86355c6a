/**
 * The connection below the WebSocket: straight or through a proxy, in the clear or over TLS, with the step it is at, so that a
 * time-out can say what did not answer.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { ClientRequestArgs } from "node:http";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect as connectTls,
  getCACertificates,
  type PeerCertificate,
  rootCertificates,
} from "node:tls";
import { connectThrough } from "./httpTunnel.ts";

/** Certificates are verified, always: there is no option to switch that off. */
export interface TlsOptions {
  /** PEM of authorities that are trusted beside those of the system. */
  readonly ca?: string | undefined;
  /** Base64 of SHA-256 of the public key (SPKI) that the router must have: one of these. */
  readonly pins?: readonly string[] | undefined;
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface DialOptions {
  readonly tls?: TlsOptions;
  readonly proxy?: URL | undefined;
  /** Default is the system's. */
  readonly lookup?: LookupFunction;
}

/** What has to answer next. */
export type DialStep = "proxy" | "dns" | "tcp" | "tls" | "upgrade";

/** One address may be dead where another one is not. */
const ATTEMPT = 5_000;

type OnConnection = (error: Error | null, socket?: Socket) => void;

/** For `ws`: makes the socket that it upgrades. `onStep` hears what is waited for. */
export function dialer(url: URL, { tls, proxy, lookup }: DialOptions, onStep: (step: DialStep) => void) {
  const isSafe = url.protocol === "wss:";
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  const port = Number(url.port) || (isSafe ? 443 : 80);
  const target = { host, port, autoSelectFamilyAttemptTimeout: ATTEMPT, ...(lookup && { lookup }) };

  function secured(socket?: Socket): Socket {
    const safe = connectTls({
      ...(socket ? { socket } : target),
      ...(isIP(host) === 0 && { servername: host }),
      minVersion: "TLSv1.2",
      ca: authorities(tls?.ca),
      ...(tls?.cert && { cert: tls.cert }),
      ...(tls?.key && { key: tls.key }),
      checkServerIdentity: (name, certificate) =>
        checkServerIdentity(name, certificate) ?? pinned(certificate, tls?.pins),
    });
    return safe.once("secureConnect", () => onStep("upgrade"));
  }

  function straight(): Socket {
    onStep("dns");
    const next = isSafe ? "tls" : "upgrade";
    const socket = isSafe ? secured() : connect(target);
    return socket.once("lookup", () => onStep("tcp")).once("connect", () => onStep(next));
  }

  return (_: ClientRequestArgs, done: OnConnection): Socket | undefined => {
    if (!proxy) return straight();
    onStep("proxy");
    connectThrough(proxy, host, port).then(
      (socket) => {
        onStep(isSafe ? "tls" : "upgrade");
        done(null, isSafe ? secured(socket) : socket);
      },
      (error: Error) => done(error),
    );
    return undefined;
  };
}

/** The system's own store, Node's, and one's own. Read once: they are 140 certificates each. */
let known: readonly string[] | undefined;
function authorities(own: string | undefined): string[] {
  known ??= [...rootCertificates, ...getCACertificates("system")];
  return own === undefined ? [...known] : [...known, own];
}

function pinned({ raw }: PeerCertificate, pins: readonly string[] | undefined): Error | undefined {
  if (pins === undefined || pins.length === 0) return undefined;
  const spki = new X509Certificate(raw).publicKey.export({ type: "spki", format: "der" });
  const found = createHash("sha256").update(spki).digest("base64");
  if (pins.includes(found)) return undefined;
  return Object.assign(new Error(`the router's key is ${found}, which is not pinned`), {
    code: "ERR_TLS_PIN_MISMATCH",
  });
}
