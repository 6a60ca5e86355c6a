/** The bundled agent on hard ground: TLS by an authority of one's own, a client certificate, a proxy with credentials. */
import { writeFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { makeCertificates, pinOf } from "../support/certificates.ts";
import { startConnectProxy } from "../support/connectProxy.ts";
import { goes, isDevice, type Stage, startStage } from "./stage.ts";

const CERTIFICATES = makeCertificates();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each();
});

/** TLS before the studio's router, which wants a certificate from whoever comes. The agent's file says to go there. */
async function guard(s: Stage): Promise<void> {
  const { ca, server } = CERTIFICATES;
  const open = new Set<Socket>();
  const front = createServer({ ...server, ca: ca.cert, requestCert: true }, (socket) => {
    const back = connect(Number(new URL(s.routerUrl()).port), "127.0.0.1").setNoDelay();
    for (const each of [socket, back]) open.add(each.on("error", () => {}));
    socket.pipe(back).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  undo.push(() => {
    for (const each of open) each.destroy();
    front.close();
  });
  const url = `wss://localhost:${(front.address() as AddressInfo).port}/`;
  writeFileSync(s.flock, JSON.stringify({ ...s.identity, device_endpoint_url: url }), { mode: 0o600 });
}

test("with all of it right the device is online, through the proxy, and its credentials are in no log line", async () => {
  const proxy = await startConnectProxy({ wants: "user:planted-word" });
  undo.push(() => proxy.close());
  const env: Record<string, string> = { HTTPS_PROXY: proxy.at("user:planted-word@").href };
  await using s = await startStage({ env });
  const put = (name: string, text: string): string => {
    writeFileSync(join(s.folder, name), text, { mode: 0o600 });
    return join(s.folder, name);
  };
  Object.assign(env, {
    REAGENT_TLS_CA: put("ca.pem", CERTIFICATES.ca.cert),
    REAGENT_TLS_CERT: put("device.pem", CERTIFICATES.client.cert),
    REAGENT_TLS_KEY: put("device.key", CERTIFICATES.client.key),
    REAGENT_TLS_PIN: pinOf(CERTIFICATES.server.cert),
  });
  await guard(s);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  expect(proxy.tunnels).toEqual([expect.stringMatching(/^localhost:\d+$/)]);
  expect(s.happened.filter((each) => JSON.stringify(each).includes("planted-word"))).toEqual([]);
});

test("with a router that nobody vouches for the status says so, and what to do; named, it is trusted at the next dial", async () => {
  const env: Record<string, string> = {};
  await using s = await startStage({ env });
  const ca = join(s.folder, "ca.pem");
  for (const [name, text] of Object.entries({
    "device.pem": CERTIFICATES.client.cert,
    "device.key": CERTIFICATES.client.key,
  }))
    writeFileSync(join(s.folder, name), text, { mode: 0o600 });
  writeFileSync(ca, CERTIFICATES.stranger.cert);
  Object.assign(env, {
    REAGENT_TLS_CA: ca,
    REAGENT_TLS_CERT: join(s.folder, "device.pem"),
    REAGENT_TLS_KEY: join(s.folder, "device.key"),
  });
  await guard(s);
  await s.see("refused", goes("connection", /^waiting\.rejected$/), () => s.startAgent());
  const { link } = Status.parse(await ask(join(s.home, "reagent.sock"), "status"));
  expect(link).toMatchObject({
    because: "SELF_SIGNED_CERT_IN_CHAIN",
    says: "nobody whom the device knows vouches for the router's certificate",
    todo: expect.stringContaining("tls.ca"),
  });
  await s.see("the device is connected", isDevice("CONNECTED"), () => writeFileSync(ca, CERTIFICATES.ca.cert), 15_000);
});
