/** Downloads from a registry that asks who is there. The registry is the real one; who may come in is asked by a door before it. */
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.2; done";

let door: Server;
let logins: string[];
let isOpen: boolean;
let mayEnter: (user: string, password: string) => boolean;

beforeEach(async () => {
  logins = [];
  isOpen = true;
  mayEnter = () => true;
  const [host, port] = inject("registry").split(":");
  door = createServer((question, answer) => {
    const [, basic = ""] = /^Basic (.*)$/.exec(question.headers.authorization ?? "") ?? [];
    const [user = "", password = ""] = Buffer.from(basic, "base64").toString().split(":");
    if (basic && logins.at(-1) !== `${user}:${password}`) logins.push(`${user}:${password}`);
    if (!isOpen && !(basic && mayEnter(user, password))) {
      answer.writeHead(401, { "www-authenticate": 'Basic realm="door"', "content-type": "application/json" });
      return void answer.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    }
    const { authorization: _, ...headers } = question.headers;
    const up = request({ host, port, method: question.method, path: question.url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    question.pipe(up);
    up.on("error", () => answer.destroy());
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  door.closeAllConnections();
  door.close();
});

async function ready(): Promise<Stage & { readonly registry: string }> {
  const registry = `127.0.0.1:${(door.address() as AddressInfo).port}`;
  const s = await startStage({ registry, env: { REAGENT_CONTAINERS_STOP_GRACE: "1" } });
  await s.publish("1.0.0", FOREVER);
  isOpen = false;
  logins.length = 0;
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  return Object.assign(s, { registry });
}
const secretOf = (s: Stage) => String(s.identity.secret);

test("P4: each download asks for a token, which comes in with the device's secret; neither is in a log, a report or the status", async () => {
  await using s = await ready();
  mayEnter = (_, password) => password === secretOf(s);
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  expect(logins).toHaveLength(1);
  const [token = "", password] = (logins[0] ?? "").split(":");
  expect([token.length, password]).toEqual([32, secretOf(s)]);
  const seen = JSON.stringify(s.happened) + JSON.stringify(await ask(`${s.home}/reagent.sock`, "status"));
  for (const hidden of [token, secretOf(s)]) expect(seen).not.toContain(hidden);
});

test("P4: a login that is refused is FAILED, says so, and is tried again", async () => {
  await using s = await ready();
  mayEnter = () => false;
  await s.see("FAILED", hears(s.key, "FAILED"), () => s.want("RUNNING"), 60_000);
  await s.see("told in the app's log", reads(/the registry does not let this device download/));
  const status = Status.parse(await ask(`${s.home}/reagent.sock`, "status"));
  expect(status.apps[0]?.error).toMatchObject({ code: "registry_refused" });
  expect(s.reports()).not.toContain("PRESENT");
  mayEnter = () => true;
  await s.see("it runs", hears(s.key, "RUNNING"), () => {}, 60_000);
});

test("a login that the request brings for this registry goes before the token", async () => {
  await using s = await ready();
  mayEnter = (user, password) => user === "alice" && password === "planted-password";
  const docker_credentials = { [s.registry]: { username: "alice", password: "planted-password" } };
  await s.see(
    "it runs",
    hears(s.key, "RUNNING"),
    () => s.request({ present_version: "1.0.0", target_state: "RUNNING", docker_credentials }),
    60_000,
  );
  expect(logins).toEqual(["alice:planted-password"]);
  expect(JSON.stringify(s.happened)).not.toContain("planted-password");
});
