/**
 * Random stories of what happens to a line: the real machine, the real link, real sockets, the embedded router, and a proxy
 * that does harm. Whatever happened, when all is well again the device is online, once, with each registration once.
 */
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createActor, fromCallback, waitFor } from "xstate";
import { connectionMachine } from "../../src/machines/connection.ts";
import { watch } from "../../src/machines/slot.ts";
import { holdLink } from "../../src/services/wampLink.ts";
import { MiniRouter } from "../../src/studio/router/minirouter.ts";
import { LineProxy } from "../support/lineProxy.ts";
import { USERS } from "../support/link.ts";

const PRESENCE = "re.mgmt.s.wamp_connection_established";
const PROCEDURES = ["re.mgmt.s.device_handshake", "re.mgmt.s.list_containers"];
const EVENTS = [
  ...["cut", "freeze", "half-open", "silence", "mend", "pass"],
  ...["router killed", "router back", "kicked", "goodbye", "garbage", "half a message", "binary", "oversized"],
  ...["wrong secret", "right secret", "ghost", "dial", "stop", "start", "no upgrade", "upgrade"],
] as const;
type Event = (typeof EVENTS)[number];

const startAt = (port: number) => new MiniRouter({ users: USERS, keepalive: 150 }).listen({ port });

async function world() {
  let router: MiniRouter | undefined = await startAt(0);
  const port = Number(new URL(router.url).port);
  const line = new LineProxy(() => port);
  const url = `ws://127.0.0.1:${await line.listen()}/`;
  let secret = "s3cret";
  const problems: unknown[] = [];
  const open = async () => {
    router ??= await startAt(port);
  };
  const victim = () => router?.peers.find(({ isJoined, authid }) => isJoined && authid === "dev1");
  const machine = connectionMachine.provide({
    actors: {
      holdLink: watch(({ input, sendBack, receive }) => {
        const link = holdLink(
          input.attempt,
          {
            url,
            ...{ realm: "realm1", authid: "dev1", readSecret: () => secret, agent: "reagent-test" },
            ...{ laneOf: () => "control" as const, pingEvery: 60, deadAfter: 200, dialWithin: 300, joinWithin: 300 },
            maxIncoming: 64 << 10,
            onProblem: (what, error) => problems.push([what, error]),
          },
          {
            claim: async (session) => {
              await session.register(PRESENCE, () => null, { force: false, patience: 0 });
            },
            testify: async (session) => {
              await session.call("wamp.session.add_testament", ["t.gone", ["s"], {}]);
            },
            identify: async () => false,
            register: async (session) => {
              await Promise.all(PROCEDURES.map((name) => session.register(name, () => null)));
            },
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
  const actor = createActor(machine, { input: { parent, now: Date.now, random: () => 0 } });
  actor.start();
  const say = (type: "connection.start" | "connection.stop" | "connection.dial") => actor.send({ type });
  say("connection.start");

  const ACT: Readonly<Record<Event, () => unknown>> = {
    cut: () => line.cut(),
    freeze: () => line.freeze(),
    "half-open": () => line.halfOpen(),
    silence: () => line.silence(),
    mend: () => line.mend(),
    pass: () => {},
    "router killed": async () => {
      await router?.close({ goodbye: false });
      router = undefined;
    },
    "router back": open,
    kicked: () => victim()?.kill(),
    goodbye: () => victim()?.kill("wamp.close.normal"),
    garbage: () => inject("}{"),
    "half a message": () => inject('[8,32,7,{},"wamp'),
    binary: () => inject(Buffer.from([1, 2, 3])),
    oversized: () => inject(JSON.stringify([36, 1, 2, {}, ["x".repeat(100 << 10)]])),
    "wrong secret": () => {
      secret = "wrong";
    },
    "right secret": () => {
      secret = "s3cret";
    },
    ghost: () => line.orphan(),
    dial: () => say("connection.dial"),
    stop: () => say("connection.stop"),
    start: () => say("connection.start"),
    "no upgrade": () => {
      if (router) router.switches.upgrade = 503;
    },
    upgrade: () => {
      if (router) delete router.switches.upgrade;
    },
  };
  function inject(frame: string | Buffer): void {
    const peer = victim();
    if (peer) router?.inject(peer, frame);
  }

  return {
    problems,
    act: async (event: Event) => ACT[event](),
    /** All is well from now on; resolves when the device is online. */
    settle: async () => {
      await ACT.upgrade();
      await open();
      secret = "s3cret";
      line.thaw();
      say("connection.start");
      const nudge = setInterval(() => say("connection.dial"), 50);
      await waitFor(actor, (at) => at.matches({ linked: { authenticated: "online" } }), { timeout: 8_000 }).finally(
        () => clearInterval(nudge),
      );
    },
    held: () => line.held,
    sessions: () => router?.peers.filter(({ isJoined, authid }) => isJoined && authid === "dev1").length,
    registered: () =>
      [PRESENCE, ...PROCEDURES].map((name) =>
        router
          ?.realm()
          .dealer.registrations.values()
          .filter(({ uri }) => uri === name)
          .reduce((sum, { callees }) => sum + callees.length, 0),
      ),
    close: async () => {
      say("connection.stop");
      actor.stop();
      line.close();
      await router?.close({ goodbye: false });
    },
  };
}

const story = fc.array(fc.record({ event: fc.constantFrom(...EVENTS), wait: fc.integer({ min: 0, max: 25 }) }), {
  minLength: 50,
  maxLength: 50,
});

test("after 50 things that happen to a line the device is online, in one session, with each registration once", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (events) => {
      const w = await world();
      try {
        for (const { event, wait } of events) {
          await w.act(event);
          await pause(wait);
        }
        await w.settle();
        await expect.poll(w.sessions).toBe(1);
        await expect.poll(w.held).toBe(1);
        expect({ registered: w.registered(), problems: w.problems }).toEqual({ registered: [1, 1, 1], problems: [] });
      } finally {
        await w.close();
      }
    }),
    { numRuns: Number(process.env["RUNS"] ?? 4) },
  );
}, 600_000);
