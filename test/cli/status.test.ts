/** `reagent status` for eyes and for programs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { status as command } from "../../src/cli/status.ts";
import { span, statusScreen } from "../../src/cli/statusScreen.ts";
import { Status } from "../../src/model/status.ts";
import { startControl } from "../../src/services/controlServer.ts";
import { fakeIo } from "./io.ts";

const NOW = 1_000_000_000;
const CALM: Status = {
  version: "0.1.0",
  pid: 77,
  since: NOW - 7_300_000,
  serial: "11111111-2222-3333-4444-555555555555",
  home: "/opt/reagent",
  link: { state: "linked.authenticated.online", since: NOW - 61_000, url: "ws://router/ws" },
  engine: { state: "watched.live", since: NOW - 90_000, socket: "/var/run/docker.sock" },
  apps: [
    {
      stage: "PROD",
      key: 42,
      name: "weather",
      state: "active.running.settling",
      wire: "RUNNING",
      since: NOW - 3_000,
      target: "RUNNING",
      version: "1.0.0",
      failures: 0,
    },
  ],
  problems: [],
};
const [weather] = CALM.apps;

test("a calm device fits on a few lines", () => {
  expect(statusScreen(CALM, NOW)).toEqual([
    "reagent 0.1.0, device 11111111-2222-3333-4444-555555555555, process 77, up 2 h",
    "home     /opt/reagent",
    "link     online since 61 s, ws://router/ws",
    "engine   there since 90 s, /var/run/docker.sock",
    "",
    "app      name     wanted   is                       version  since",
    "PROD:42  weather  RUNNING  active.running.settling  1.0.0    3 s",
  ]);
});

test("what is wrong says why, what to do, and when it is tried again", () => {
  const error = {
    code: "container_exited",
    says: "the container ended by itself: exit code 7",
    todo: "Read the app's last lines.",
  };
  const shown = statusScreen(
    {
      ...CALM,
      link: {
        state: "waiting.reconnecting",
        since: NOW,
        url: "ws://r",
        because: "ECONNREFUSED",
        says: "nothing listens at the router's address",
        detail: "connect ECONNREFUSED 10.0.0.1:80",
        todo: "Start the router.",
        failures: 3,
        retryAt: NOW + 4_200,
      },
      engine: { state: "waiting", since: NOW, socket: "/s", because: "connect ENOENT", retryAt: NOW - 5 },
      apps: [
        { ...(weather as Status["apps"][0]), state: "crashed.waiting", failures: 2, error, retryAt: NOW + 90_000 },
      ],
      problems: [
        { about: "back_end.status", code: "back_end_failed", says: "no such procedure", since: NOW - 200_000 },
      ],
    },
    NOW,
  );
  expect(shown.slice(2)).toEqual([
    "link     reconnecting: nothing listens at the router's address, next try in 4 s",
    "         ws://r",
    "         ECONNREFUSED: connect ECONNREFUSED 10.0.0.1:80",
    "         Start the router.",
    "engine   away: connect ENOENT, next look now, /s",
    "",
    "app      name     wanted   is               version  since",
    "PROD:42  weather  RUNNING  crashed.waiting  1.0.0    3 s",
    "  failed 2 times in a row: the container ended by itself: exit code 7; next try in 90 s",
    "  Read the app's last lines.",
    "",
    "problems",
    "  back_end.status: no such procedure (3 m)",
  ]);
});

test("hostile text moves no cursor and floods no screen", () => {
  const nasty = { ...(weather as Status["apps"][0]), name: `\u001b[2J\r\n${"x".repeat(500)}`, version: "\u009b31m" };
  for (const line of statusScreen({ ...CALM, apps: [nasty] }, NOW)) {
    expect(line).not.toMatch(/\p{Cc}/u);
    expect(line.length).toBeLessThanOrEqual(101);
  }
});

test.each([
  [-5, "0 s"],
  [999, "1 s"],
  [119_000, "119 s"],
  [120_000, "2 m"],
  [7_199_000, "119 m"],
  [7_200_000, "2 h"],
  [172_800_000, "2 d"],
])("%i ms are %s", (ms, words) => {
  expect(span(ms)).toBe(words);
});

test("asked over the socket, for eyes and as JSON; by -agentDir and by REAGENT_HOME", async () => {
  const home = mkdtempSync(join(tmpdir(), "rgst-"));
  const control = await startControl({ path: join(home, "reagent.sock"), handlers: { status: () => CALM } });
  try {
    const eyes = fakeIo();
    expect(await command.run({ ...eyes.io, args: ["-agentDir", home] })).toBe(0);
    expect(eyes.printed[1]).toBe("home     /opt/reagent");
    const program = fakeIo({ REAGENT_HOME: home });
    expect(await command.run({ ...program.io, args: ["--json"] })).toBe(0);
    expect(Status.parse(JSON.parse(program.printed.join("")))).toEqual(CALM);
  } finally {
    await control.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test("of a version that is set aside it says first what is here instead", () => {
  const setAside = { version: "1.1.0", because: "container_exited", says: "the container ended by itself" } as const;
  const app = { ...weather, version: "1.1.0", here: "2.0.0", setAside } as Status["apps"][number];
  expect(statusScreen({ ...CALM, apps: [app] }, NOW).at(-1)).toBe(
    "  2.0.0 is here. 1.1.0 is set aside: the container ended by itself; tried again when asked for",
  );
});
