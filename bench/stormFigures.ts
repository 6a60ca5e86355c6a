/** Five hundred devices whose router is killed for half a minute: when they are back, and how hard they knock meanwhile. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createActor, fromCallback } from "xstate";
import { connectionMachine } from "../src/machines/connection.ts";
import { watch } from "../src/machines/slot.ts";
import { holdLink } from "../src/services/wampLink.ts";
import { freePort } from "../src/studio/registry.ts";
import type { User } from "../src/studio/router/minirouter.ts";
import { type RouterProcess, startRouterProcess } from "../src/studio/routerProcess.ts";
import { dial } from "../test/support/link.ts";
import type { Figure } from "./figures.ts";

const AWAY = 30_000;
const authid = (n: number) => `sim${n}`;

export async function stormFigures(devices: number, say: (text: string) => void): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "rgw-"));
  const port = await freePort();
  const users = Object.fromEntries(
    Array.from({ length: devices }, (_, n): [string, User] => [
      authid(n),
      { method: "wampcra", secret: "s", role: "device" },
    ]),
  );
  const config = join(folder, "router.json");
  writeFileSync(
    config,
    JSON.stringify({ realm: "realm1", keepalive: 0, users, listen: [{ port, address: `127.0.0.1:${port}` }] }),
  );
  const url = `ws://127.0.0.1:${port}/`;
  const open = (): Promise<RouterProcess> => {
    const args = [resolve("test/support/embeddedMain.ts"), config];
    return startRouterProcess({ name: "router", program: process.execPath, args, folder, url, realm: "realm1" });
  };
  let router = await open();
  try {
    const ours = await storm(devices, url, machines, say, async (what) => {
      if (what === "kill") await router.kill();
      else router = await open();
    });
    await router.kill();
    router = await open();
    const fixed = await storm(devices, url, fixedRetry, say, async (what) => {
      if (what === "kill") await router.kill();
      else router = await open();
    });
    const back = ours.back / 1_000;
    return [
      {
        name: `${devices} devices, router killed for ${AWAY / 1_000} s: 99 % back after it is there`,
        unit: "s",
        values: [back],
        target: "<= 45 s",
        isReached: back <= 45,
      },
      {
        name: "the same: most dials in one second on the router that comes back",
        unit: "per s",
        values: [ours.peakLate],
        beside: { name: "each second", values: [fixed.peakLate] },
        target: "ratio <= 0.2",
        isReached: ours.peakLate / fixed.peakLate <= 0.2,
      },
      {
        name: "the same: most dials in one second at all: on a port that nobody listens on, right after the loss",
        unit: "per s",
        values: [ours.peak],
        beside: { name: "each second", values: [fixed.peak] },
        target: "none",
        isReached: true,
      },
    ];
  } finally {
    await router.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Crowd {
  isOnline(n: number): boolean;
  stop(): Promise<void>;
}
type Gather = (devices: number, url: string, onDial: () => void) => Crowd;

async function storm(
  devices: number,
  url: string,
  gather: Gather,
  say: (text: string) => void,
  act: (what: "kill" | "open") => Promise<void>,
) {
  const dials: number[] = [];
  const crowd = gather(devices, url, () => dials.push(performance.now()));
  const online = () => Array.from({ length: devices }, (_, n) => n).filter((n) => crowd.isOnline(n)).length;
  while (online() < devices) {
    say(`gathering: ${online()} of ${devices}`);
    await pause(200);
  }
  await pause(31_000);
  dials.length = 0;
  const killed = performance.now();
  await act("kill");
  say("the router is gone");
  await pause(AWAY);
  await act("open");
  const opened = performance.now();
  while (online() < devices * 0.99) {
    say(`${online()} of ${devices} are back`);
    await pause(50);
  }
  const back = performance.now() - opened;
  const peakFrom = (from: number) => {
    const late = dials.filter((at) => at - killed >= from);
    return Math.max(0, ...late.map((at) => late.filter((other) => other >= at && other < at + 1_000).length));
  };
  await crowd.stop();
  return { back, peak: peakFrom(0), peakLate: peakFrom(AWAY) };
}

const options = (n: number, url: string) => ({
  url,
  ...{ realm: "realm1", authid: authid(n), readSecret: () => "s", agent: "reagent-bench" },
  laneOf: () => "control" as const,
});

/** The real machine and the real link; of the steps to online only the presence. */
const machines: Gather = (devices, url, onDial) => {
  const actors = Array.from({ length: devices }, (_, n) => {
    const machine = connectionMachine.provide({
      actors: {
        holdLink: watch(({ input, sendBack, receive }) => {
          onDial();
          const link = holdLink(
            input.attempt,
            options(n, url),
            {
              claim: async (session) => {
                await session.register(`re.mgmt.${n}.presence`, () => null, { force: false, patience: 0 });
              },
              testify: async () => {},
              identify: async () => false,
              register: async () => {},
              synchronise: async () => {},
            },
            sendBack,
          );
          receive((order) => link.receive(order));
          return () => link.release();
        }),
      },
    });
    const parent = createActor(fromCallback(() => {})).start();
    const actor = createActor(machine, { input: { parent, now: Date.now, random: Math.random } });
    actor.start();
    actor.send({ type: "connection.start" });
    return actor;
  });
  return {
    isOnline: (n) => actors[n]?.getSnapshot().matches({ linked: { authenticated: "online" } }) === true,
    stop: async () => {
      for (const actor of actors) actor.send({ type: "connection.stop" });
      await pause(3_500);
      for (const actor of actors) actor.stop();
    },
  };
};

/** What most clients do: again after a second, for ever. */
const fixedRetry: Gather = (devices, url, onDial) => {
  const over = new AbortController();
  const isIn = new Array<boolean>(devices).fill(false);
  const running = isIn.map(async (_, n) => {
    while (!over.signal.aborted) {
      onDial();
      const line = dial(url, options(n, url));
      const stop = () => line.session.close();
      over.signal.addEventListener("abort", stop, { once: true });
      line.joined.then(
        () => {
          isIn[n] = true;
        },
        () => {},
      );
      await line.end;
      over.signal.removeEventListener("abort", stop);
      isIn[n] = false;
      await pause(1_000, undefined, { signal: over.signal }).catch(() => {});
    }
  });
  return {
    isOnline: (n) => isIn[n] === true,
    stop: async () => {
      over.abort();
      await Promise.all(running);
    },
  };
};
