/** The user's variables, from the request into the container, into files, and nowhere else. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ask } from "../../src/services/controlClient.ts";
import { dial } from "../support/link.ts";
import { hears, isDevice, reads, type Stage, startStage } from "./stage.ts";

const SHOWS = "echo city is $CITY; wc -c < /data/env/LARGE.txt; trap 'exit 0' TERM; while true; do sleep 1; done";

async function request(s: Stage, environment: Record<string, unknown>) {
  const { authid, secret } = s.operator();
  const line = dial(s.routerUrl(), { authid, readSecret: () => secret });
  const session = await line.joined;
  const named = Object.entries(environment).map(([name, value]) => [name, { value }]);
  await session.call(`re.mgmt.${s.identity.serial_number}.request_app_state`, [], {
    ...{ app_key: s.key, app_name: "weather", stage: "PROD", target_state: "RUNNING", current_state: "PRESENT" },
    ...{ present_version: "1.0.0", requestor_account_key: 5, environment: Object.fromEntries(named) },
  });
  session.close();
  await line.end;
}

async function running(s: Stage, environment: Record<string, unknown>) {
  await s.publish("1.0.0", SHOWS);
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => request(s, environment), 60_000);
}

test("they are in the container and in files, what is too large in files alone, what cannot be is told", async () => {
  await using s = await startStage();
  const large = "l".repeat(50_000);
  await running(s, { CITY: "planted-city", LARGE: large, "A=B": "x" });
  await s.see("the app sees it", reads("city is planted-city"));
  expect(s.happened.some(reads('Left out of the environment: "A=B" is no name of a variable'))).toBe(true);
  const info = await s.engine.container(s.container);
  expect(info?.Config.Env.filter((each) => /^(CITY|LARGE|A=)/.test(each))).toEqual(["CITY=planted-city"]);
  const folder = join(s.home, "apps/prod/weather/env");
  expect(readdirSync(folder)).toEqual(["CITY.txt", "LARGE.txt"]);
  expect(readFileSync(join(folder, "LARGE.txt"), "utf8")).toBe(large);
  expect([folder, join(folder, "CITY.txt")].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual([
    "700",
    "600",
  ]);
});

test("others replace the container once; the same again does not", async () => {
  await using s = await startStage();
  await running(s, { CITY: "Bonn", LARGE: "1" });
  const first = await s.engine.container(s.container);
  await s.see("told again", hears(s.key, "RUNNING"), () => request(s, { CITY: "Bonn", LARGE: "1" }));
  expect((await s.engine.container(s.container))?.Id).toBe(first?.Id);
  await s.see("the app sees the other", reads("city is Köln"), () => request(s, { CITY: "Köln", LARGE: "1" }), 60_000);
  const all = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
  expect(all.map(({ State }) => State)).toEqual(["running"]);
});

test("no value is in the log, in the status, in a label or in a report", async () => {
  await using s = await startStage();
  await s.publish("1.0.0", "trap 'exit 0' TERM; while true; do sleep 1; done");
  await s.see("the device is connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => request(s, { TOKEN: "planted-token" }), 60_000);
  expect(s.happened.filter((each) => JSON.stringify(each).includes("planted-token"))).toEqual([]);
  expect(JSON.stringify(await ask(join(s.home, "reagent.sock"), "status"))).not.toContain("planted-token");
  const info = await s.engine.container(s.container);
  expect(JSON.stringify(info?.Config.Labels)).not.toContain("planted-token");
  expect(statSync(join(s.home, "agent.db")).mode & 0o077).toBe(0);
});
