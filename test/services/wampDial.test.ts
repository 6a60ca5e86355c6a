/** Getting through: TLS in all its ways to fail, proxies, and the three ways to prove who one is. On real sockets. */
import { createPrivateKey, randomBytes } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { proxyFor } from "../../src/services/httpTunnel.ts";
import { publicKeyOf } from "../../src/services/wampAuth.ts";
import type { DialOptions } from "../../src/services/wampDial.ts";
import type { SessionOptions } from "../../src/services/wampSessionOptions.ts";
import { MiniRouter, type User } from "../../src/studio/router/minirouter.ts";
import { makeCertificates, type Pair, pinOf } from "../support/certificates.ts";
import { type ConnectProxyOptions, startConnectProxy } from "../support/connectProxy.ts";
import { dial, startRouter, USERS } from "../support/link.ts";

const CERTIFICATES = makeCertificates();
const SEED = "07".repeat(32);
const { ca, server, expired, future, lonely, elsewhere, client, foreignClient, stranger } = CERTIFICATES;

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** A router behind TLS on a port of its own. */
async function safeRouter(
  pair: Pair,
  options: { ca?: string; requestCert?: boolean } = {},
  users: Record<string, User> = USERS,
) {
  const https = createHttpsServer({ ...pair, ...options, rejectUnauthorized: options.requestCert === true });
  const router = await new MiniRouter({ users }).listen({ server: https });
  await new Promise<void>((resolve) => https.listen(0, "127.0.0.1", resolve));
  undo.push(async () => {
    await router.close({ goodbye: false });
    https.closeAllConnections();
    https.close();
  });
  return (https.address() as AddressInfo).port;
}

type Options = Partial<SessionOptions> & DialOptions;
const through = (url: string, { tls, proxy, ...options }: Options = {}) => {
  const line = dial(url, { dialWithin: 2_000, dial: () => ({ ...(tls && { tls }), proxy }), ...options });
  undo.push(() => line.session.close());
  return line;
};
const because = async (url: string, options: Options = {}) => (await through(url, options).end).because;

describe("TLS", () => {
  test("an authority of one's own is trusted when it is named, by name and by address", async () => {
    const port = await safeRouter(server);
    for (const host of ["localhost", "127.0.0.1"])
      await through(`wss://${host}:${port}/`, { tls: { ca: ca.cert } }).joined;
  });

  test.each<[string, Pair, string, string]>([
    ["an authority that nobody knows", server, "", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["another authority", server, stranger.cert, "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ["a certificate that has expired", expired, ca.cert, "CERT_HAS_EXPIRED"],
    ["a certificate that is not yet valid", future, ca.cert, "CERT_NOT_YET_VALID"],
    ["a certificate that nobody signed", lonely, ca.cert, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["a certificate for another name", elsewhere, ca.cert, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("%s is refused, and only a person can help", async (_, pair, authority, code) => {
    const port = await safeRouter(pair);
    const line = through(`wss://localhost:${port}/`, authority ? { tls: { ca: authority } } : {});
    expect(await line.end).toMatchObject({ kind: "tls", because: code });
    expect(line.facts).toMatchObject([{ type: "lost", ending: "refused" }]);
  });

  test("a pinned key is checked beside the certificate", async () => {
    const port = await safeRouter(server);
    const pins = [pinOf(stranger.cert), pinOf(server.cert)];
    await through(`wss://localhost:${port}/`, { tls: { ca: ca.cert, pins } }).joined;
    const line = through(`wss://localhost:${port}/`, { tls: { ca: ca.cert, pins: [pinOf(stranger.cert)] } });
    expect((await line.end).because).toBe("ERR_TLS_PIN_MISMATCH");
    expect(line.facts).toMatchObject([{ type: "lost", ending: "refused" }]);
    expect(await because(`wss://localhost:${port}/`, { tls: { pins } })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  test("a router that wants a client certificate gets it; without one, or with a stranger's, it is a refusal or a cut", async () => {
    const port = await safeRouter(server, { ca: ca.cert, requestCert: true });
    await through(`wss://localhost:${port}/`, { tls: { ca: ca.cert, ...client } }).joined;
    const REFUSED = /^(ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED|ECONNRESET|ERR_SSL_.*|EPROTO|EPIPE)$/;
    expect(await because(`wss://localhost:${port}/`, { tls: { ca: ca.cert } })).toMatch(REFUSED);
    expect(await because(`wss://localhost:${port}/`, { tls: { ca: ca.cert, ...foreignClient } })).toMatch(REFUSED);
  });

  test("a server that takes the connection and never speaks TLS: told by its step", async () => {
    const silent = createServer((socket) => undo.push(() => socket.destroy()));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    undo.push(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    expect(await because(`wss://127.0.0.1:${port}/`, { dialWithin: 100 })).toBe("no_answer_tls");
  });
});

async function proxy(options?: ConnectProxyOptions) {
  const made = await startConnectProxy(options);
  undo.push(() => made.close());
  return made;
}

describe("addresses", () => {
  const listenOn = async (host: string): Promise<number> => {
    const http = createHttpServer();
    const router = await new MiniRouter({ users: USERS }).listen({ server: http });
    await new Promise<void>((resolve) => http.listen(0, host, resolve));
    undo.push(async () => {
      await router.close({ goodbye: false });
      http.close();
    });
    return (http.address() as AddressInfo).port;
  };

  test("IPv6", async () => {
    await through(`ws://[::1]:${await listenOn("::1")}/`).joined;
  });

  test.each([
    ["::1", "127.0.0.1"],
    ["127.0.0.1", "::1"],
  ])("a name with two addresses, where only %s answers and %s does not", async (living) => {
    const addresses = [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    const url = `ws://router.example:${await listenOn(living)}/`;
    await through(url, { dial: () => ({ lookup: (_, __, done) => done(null, addresses) }) }).joined;
  });
});

describe("proxies", () => {
  test("ws and wss go through, with credentials where they are wanted", async () => {
    const plain = await startRouter();
    undo.push(() => plain.close({ goodbye: false }));
    const port = await safeRouter(server);
    const open = await proxy();
    await through(plain.url, { proxy: open.at() }).joined;
    const guarded = await proxy({ wants: "user:p@ss" });
    await through(`wss://localhost:${port}/`, { tls: { ca: ca.cert }, proxy: guarded.at("user:p%40ss@") }).joined;
    expect([open.tunnels, guarded.tunnels]).toEqual([[new URL(plain.url).host], [`localhost:${port}`]]);
  });

  test.each<[string, ConnectProxyOptions, string, string]>([
    ["wants other credentials", { wants: "user:right" }, "user:wrong@", "proxy_407"],
    ["does not let us through", { says: 403 }, "", "proxy_403"],
    ["cannot reach the router", { says: 502 }, "", "proxy_502"],
    ["never answers", { says: "nothing" }, "", "no_answer_proxy"],
  ])("one that %s is told as that, and no credential is in what is told", async (_, options, credentials, word) => {
    const { at } = await proxy(options);
    const end = await through("ws://127.0.0.1:9/", { proxy: at(credentials), dialWithin: 300 }).end;
    expect(end.because).toBe(word);
    expect(JSON.stringify(end)).not.toMatch(/wrong|right/);
  });

  test.each(["https://proxy:3128", "not an address", "socks5://proxy"])(
    "%s in the environment cannot be used, and the way is not taken without it",
    (said) => {
      expect(() => proxyFor(new URL("wss://router.example/"), { HTTPS_PROXY: said })).toThrow("HTTPS_PROXY");
    },
  );

  test("one that is not there", async () => {
    expect(await because("ws://127.0.0.1:9/", { proxy: new URL("http://127.0.0.1:9") })).toBe("proxy_unreachable");
  });

  test.each<[string, Record<string, string>, string | undefined]>([
    ["ws://router.example/ws", { HTTP_PROXY: "http://p:3128" }, "http://p:3128/"],
    ["wss://router.example/ws", { HTTP_PROXY: "http://p:3128" }, undefined],
    ["wss://router.example/ws", { HTTPS_PROXY: "p:3128" }, "http://p:3128/"],
    ["wss://router.example/ws", { HTTPS_PROXY: "http://P", https_proxy: "http://small" }, "http://small/"],
    ["wss://router.example/ws", { HTTPS_PROXY: "http://p", NO_PROXY: "*" }, undefined],
    ["wss://router.example/ws", { HTTPS_PROXY: "http://p", NO_PROXY: "other, .example" }, undefined],
    ["wss://router.example/ws", { HTTPS_PROXY: "http://p", NO_PROXY: "example:443" }, undefined],
    ["wss://router.example:8443/ws", { HTTPS_PROXY: "http://p", NO_PROXY: "example:443" }, "http://p/"],
    ["wss://myexample/ws", { HTTPS_PROXY: "http://p", no_proxy: "example" }, "http://p/"],
    ["ws://127.0.0.1:80/ws", { HTTP_PROXY: "http://p", NO_PROXY: "127.0.0.1" }, undefined],
    ["ws://router.example/ws", {}, undefined],
  ])("%s with %j goes by %s", (url, env, expected) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(expected);
  });
});

describe("proof", () => {
  const users: Record<string, User> = {
    dev1: { method: "ticket", secret: "the-ticket", role: "device" },
    signer: { method: "cryptosign", secret: publicKeyOf(SEED), role: "device" },
  };

  test("a ticket is given over TLS, and never in the clear", async () => {
    const port = await safeRouter(server, {}, users);
    const ticket = { method: "ticket", readSecret: () => "the-ticket" } as const;
    await through(`wss://localhost:${port}/`, { ...ticket, tls: { ca: ca.cert } }).joined;
    const plain = await startRouter({ users });
    undo.push(() => plain.close({ goodbye: false }));
    const end = await through(plain.url, ticket).end;
    expect(end).toMatchObject({ because: "signer_failed", detail: expect.stringContaining("over TLS only") });
    expect(JSON.stringify(end)).not.toContain("the-ticket");
  });

  test("cryptosign: by the seed in hex and by PEM", async () => {
    const router = await startRouter({ users });
    undo.push(() => router.close({ goodbye: false }));
    const pem = createPrivateKey({
      key: Buffer.from(`302e020100300506032b657004220420${SEED}`, "hex"),
      format: "der",
      type: "pkcs8",
    }).export({ format: "pem", type: "pkcs8" });
    for (const key of [SEED, String(pem)]) {
      const authextra = { pubkey: publicKeyOf(key), channel_binding: null };
      await through(router.url, { authid: "signer", method: "cryptosign", authextra, readSecret: () => key }).joined;
    }
    const wrong = randomBytes(32).toString("hex");
    expect(await because(router.url, { authid: "signer", method: "cryptosign", readSecret: () => wrong })).toBe(
      "wamp.error.authentication_failed",
    );
  });

  test("what is no key is told without quoting it", async () => {
    const router = await startRouter({ users });
    undo.push(() => router.close({ goodbye: false }));
    const end = await through(router.url, {
      authid: "signer",
      method: "cryptosign",
      readSecret: () => "planted-nonsense",
    }).end;
    expect(end).toMatchObject({ because: "signer_failed" });
    expect(JSON.stringify(end)).not.toContain("planted");
  });

  test("a router that asks for another method than was offered gets nothing", async () => {
    const router = await startRouter({ users });
    undo.push(() => router.close({ goodbye: false }));
    expect(await because(router.url)).toBe("wamp.error.no_matching_auth_method");
  });
});
