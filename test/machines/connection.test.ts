/** Virtual time, a link that does what the test says. Numbers in brackets count the edges of the line. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createActor, fromCallback } from "xstate";
import { getShortestPaths } from "xstate/graph";
import { type ConnectionReport, connectionMachine, DEADLINES } from "../../src/machines/connection.ts";
import { pathOf } from "../../src/machines/observe.ts";
import { watch } from "../../src/machines/slot.ts";
import { type LinkFact, type LinkOrder, type Outage, PROVEN_AFTER } from "../../src/model/link.ts";
import { endingOf } from "../../src/model/linkCauses.ts";
import { VirtualClock } from "../support/clock.ts";

/** Answers that a link may give, by order; what is missing is never answered. */
type Manners = Partial<Record<LinkOrder["type"] | "dial", readonly LinkFact["type"][]>>;
const GOOD: Manners = {
  dial: ["link.challenged", "link.welcomed"],
  "link.claim": ["link.claimed"],
  "link.testify": ["link.testified"],
  "link.identify": ["link.identified"],
  "link.register": ["link.registered"],
  "link.synchronise": ["link.synchronised"],
  "link.leave": ["link.lost"],
};

const deaf = createActor(fromCallback<ConnectionReport>(() => {}));
deaf.start();

class Line {
  readonly outage: Outage | undefined;
  readonly clock = new VirtualClock();
  manners: Manners = GOOD;
  open = new Set<number>();
  mostOpen = 0;
  dials: number[] = [];
  orders: string[] = [];
  random = 0.5;
  defects = 0;
  /** How many of the next `read_device_metadata` name another swarm. */
  moves = 0;
  #say: (type: LinkFact["type"], because?: string) => void = () => {};
  readonly actor: ReturnType<Line["make"]>;

  constructor(outage?: Outage) {
    this.outage = outage;
    this.actor = this.make();
    this.actor.start();
  }

  make() {
    return createActor(
      connectionMachine.provide({
        actors: {
          holdLink: watch<LinkFact, { attempt: number }, LinkOrder>(({ input: { attempt }, sendBack, receive }) => {
            if (this.defects-- > 0) throw new TypeError("a bug");
            this.dials.push(this.clock.now());
            this.open.add(attempt);
            this.mostOpen = Math.max(this.mostOpen, this.open.size);
            const say = (type: LinkFact["type"], because = "connection reset") =>
              sendBack(
                (type === "link.lost"
                  ? { type, attempt, ending: endingOf(because), because }
                  : { type, attempt, isNewIdentity: type === "link.identified" && this.moves-- > 0 }) as LinkFact,
              );
            this.#say = say;
            const later = (order: keyof Manners) => {
              for (const type of this.manners[order] ?? []) this.clock.setTimeout(() => say(type), 50);
            };
            later("dial");
            receive(({ type }) => {
              this.orders.push(type);
              later(type);
            });
            return () => void this.open.delete(attempt);
          }),
        },
      }),
      {
        clock: this.clock,
        input: { outage: this.outage, parent: deaf, now: () => this.clock.now(), random: () => this.random },
      },
    );
  }

  /** The link now held says something; `because` is a WAMP reason or a socket code. */
  say = (type: LinkFact["type"], because?: string) => this.#say(type, because);
  ask = (type: "connection.start" | "connection.stop" | "connection.dial") => this.actor.send({ type });
  pass(time: number): void {
    for (let left = time; left > 0; ) left -= this.clock.step(left);
  }
  get state() {
    return pathOf(this.actor.getSnapshot().value);
  }
  get context() {
    return this.actor.getSnapshot().context;
  }
}

function line(manners: Manners = GOOD): Line {
  const it = new Line();
  it.manners = manners;
  it.ask("connection.start");
  return it;
}
const online = () => {
  const it = line();
  it.pass(500);
  expect(it.state).toBe("linked.authenticated.online");
  return it;
};

describe("the way up", () => {
  test("dial, challenge, claim, testament, registrations, sync, online", () => {
    const it = line();
    expect(it.state).toBe("linked.connecting");
    it.pass(500);
    expect(it.orders).toEqual(["link.claim", "link.testify", "link.identify", "link.register", "link.synchronise"]);
    expect(it.state).toBe("linked.authenticated.online");
  });

  test.each([
    ["ECONNREFUSED", "reconnecting"],
    ["ENOTFOUND", "reconnecting"],
    ["HTTP 502", "reconnecting"],
    ["ERR_INVALID_URL", "rejected"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "rejected"],
    ["signer_failed", "rejected"],
    ["auth_method_changed", "rejected"],
    ["wamp.error.authentication_failed", "rejected"],
    ["wamp.error.no_such_realm", "rejected"],
    ["wamp.error.no_such_procedure", "reconnecting"],
    ["bad JSON", "reconnecting"],
  ])("[1-4, 8] while connecting: %s -> %s", (because, state) => {
    const it = line({});
    it.say("link.lost", because);
    expect(it.state).toBe(`waiting.${state}`);
    expect(it.open.size).toBe(0);
  });

  test("[2] a welcome that asked for no proof is refused; a second challenge is ignored", () => {
    const it = line({});
    it.say("link.welcomed");
    expect(it.state).toBe("waiting.rejected");
    const other = line({});
    other.say("link.challenged");
    other.say("link.challenged");
    expect(other.state).toBe("linked.challenged");
  });

  test("[3] one deadline over TCP..WELCOME, however far it got", () => {
    const it = line({ dial: ["link.challenged"] });
    it.pass(DEADLINES.join - 50);
    expect(it.state).toBe("linked.challenged");
    it.pass(50);
    expect(it.state).toBe("waiting.reconnecting");
    expect(it.open.size).toBe(0);
  });

  test.each(["link.claim", "link.testify", "link.identify", "link.register", "link.synchronise"] as const)(
    "[5] a router that never answers %s",
    (order) => {
      const it = line({ ...GOOD, [order]: [] });
      it.pass(DEADLINES.prepare + 100);
      expect(it.state).toBe("waiting.reconnecting");
    },
  );

  test("[5] our own ghost is tolerated for 16 s in one session, a real twin is not", () => {
    const it = line({ ...GOOD, "link.claim": ["link.conflicted"] });
    it.pass(10_000);
    expect(it.state).toMatch(/^linked.authenticated.(haunted|claiming)/);
    it.manners = GOOD;
    it.pass(3_000);
    expect(it.state).toBe("linked.authenticated.online");
    expect(it.dials).toHaveLength(1);
    const twin = line({ ...GOOD, "link.claim": ["link.conflicted"] });
    twin.pass(17_000);
    expect(twin.state).toBe("waiting.duplicate");
    expect(twin.orders.filter((one) => one === "link.claim")).toHaveLength(9);
  });
});

test("no deadline ends a link that is online", () => {
  const it = online();
  it.pass(3_600_000);
  expect([it.state, it.dials.length]).toEqual(["linked.authenticated.online", 1]);
});

test("a changed swarm key means: dial again with the new identity, and not for ever as fast as it goes", () => {
  const it = line();
  it.moves = 1;
  it.pass(1_000);
  expect(it.state).toBe("linked.authenticated.online");
  expect(it.dials).toHaveLength(2);
  expect(it.orders).not.toContain("link.leave");
  expect(it.orders.filter((one) => one === "link.register")).toHaveLength(1);

  const fickle = line();
  fickle.moves = 1_000;
  fickle.pass(60_000);
  expect(fickle.dials.length).toBeLessThan(25);
  expect(fickle.context.outage?.because).toBe("identity_changed");
});

describe("after a loss", () => {
  test.each([
    ["connection reset", "reconnecting"],
    ["wamp.close.system_shutdown", "reconnecting"],
    ["wamp.close.close_realm", "reconnecting"],
    ["heartbeat lost", "reconnecting"],
    ["wamp.close.killed", "reconnecting"],
  ])("[6, 7] online, %s -> %s", (because, state) => {
    const it = online();
    it.say("link.lost", because);
    expect(it.state).toBe(`waiting.${state}`);
  });

  const waitsOf = (it: Line, count: number) =>
    Array.from({ length: count }, () => {
      it.say("link.lost", "ECONNREFUSED");
      const wait = (it.context.outage?.retryAt ?? 0) - it.clock.now();
      while (it.state.startsWith("waiting")) it.pass(1);
      return wait;
    });

  test("[9] the first retry comes within 250 ms, then up to 2 s, and 1 to 20 s after the first ten seconds", () => {
    const it = online();
    it.pass(PROVEN_AFTER);
    it.manners = {};
    it.random = 0.999;
    expect(waitsOf(it, 12)).toEqual([250, 500, 999, 1_998, 1_998, 1_998, 1_998, 1_998, 19_981, 19_981, 19_981, 19_981]);
    it.random = 0;
    expect(waitsOf(it, 2)).toEqual([1_000, 1_000]);
  });

  test("[9] slow failures do not make it wait long at once", () => {
    const it = line({});
    it.random = 0.999;
    it.pass(DEADLINES.join);
    expect(it.context.outage).toMatchObject({ failures: 1, because: "join_deadline" });
    it.pass(250 + DEADLINES.join);
    expect((it.context.outage?.retryAt ?? 0) - it.clock.now()).toBeLessThanOrEqual(1_000);
  });

  test("[9] only a link that was online for half a minute ends the outage", () => {
    const it = line({});
    it.random = 0.999;
    waitsOf(it, 5);
    it.manners = GOOD;
    it.say("link.lost", "ECONNREFUSED");
    it.pass(2_500);
    expect([it.state, it.context.outage?.failures]).toEqual(["linked.authenticated.online", 6]);
    it.say("link.lost");
    expect(it.context.outage?.failures).toBe(7);
    it.pass(3_000);
    it.pass(PROVEN_AFTER);
    it.say("link.lost");
    expect(it.context.outage).toEqual({
      ending: "lost",
      because: "connection reset",
      since: it.clock.now(),
      failures: 1,
      retryAt: it.clock.now() + 250,
    });
  });

  test("an outage is plain data: the next actor dials at once and goes on counting", () => {
    const it = line({});
    waitsOf(it, 4);
    it.actor.stop();
    const next = new Line(JSON.parse(JSON.stringify(it.context.outage)));
    next.manners = {};
    next.ask("connection.start");
    expect(next.state).toBe("linked.connecting");
    next.say("link.lost", "ECONNREFUSED");
    expect(next.context.outage?.failures).toBe(5);
  });

  test("[4] rejected waits 5 s to 5 min and never gives up", () => {
    const it = line({});
    it.random = 0.999;
    const waits = [];
    for (let n = 0; n < 9; n++) {
      it.say("link.lost", "wamp.error.authentication_failed");
      expect(it.state).toBe("waiting.rejected");
      waits.push(Math.round(((it.context.outage?.retryAt ?? 0) - it.clock.now()) / 1_000));
      while (it.state === "waiting.rejected") it.pass(1_000);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test("[1] a link that throws while it is made is a loss, not the end of the machine", () => {
    const it = line({});
    it.defects = 1;
    it.say("link.lost");
    it.ask("connection.dial");
    expect(it.state).toBe("waiting.reconnecting");
    expect(it.context.outage?.because).toBe("internal");
    it.manners = GOOD;
    it.pass(20_000);
    expect(it.state).toMatch(/^linked.authenticated.online/);
  });

  test("[9] dial skips the wait, whatever it waits for", () => {
    for (const because of ["ECONNREFUSED", "wamp.error.authentication_failed", "wamp.error.procedure_already_exists"]) {
      const it = line({});
      it.say("link.lost", because);
      it.ask("connection.dial");
      expect(it.state).toBe("linked.connecting");
    }
  });
});

describe("[10] stop and start", () => {
  test("in every state, and twice", () => {
    const states: [string, () => Line][] = [
      ["offline", () => new Line()],
      ["connecting", () => line({})],
      ["online", online],
      [
        "waiting",
        () => {
          const it = line({});
          it.say("link.lost");
          return it;
        },
      ],
      [
        "authenticated",
        () => {
          const it = line({ dial: GOOD.dial ?? [] });
          it.pass(200);
          return it;
        },
      ],
    ];
    for (const [, make] of states) {
      const it = make();
      it.ask("connection.stop");
      it.ask("connection.stop");
      it.pass(4_000);
      expect(it.state).toBe("offline");
      expect(it.open.size).toBe(0);
      it.pass(600_000);
      expect(it.state).toBe("offline");
    }
  });

  test("a router that does not say goodbye gets 3 s", () => {
    const it = online();
    it.manners = {};
    it.ask("connection.stop");
    expect(it.state).toBe("linked.leaving");
    it.pass(DEADLINES.leave);
    expect(it.state).toBe("offline");
    expect(it.open.size).toBe(0);
  });

  test("a start during the goodbye dials anew, once", () => {
    const it = online();
    it.ask("connection.stop");
    it.ask("connection.start");
    it.pass(1_000);
    expect(it.state).toBe("linked.authenticated.online");
    expect(it.dials).toHaveLength(2);
    expect(it.mostOpen).toBe(1);
  });
});

test("[10, 11] a fact of an older attempt changes nothing, in any state", () => {
  for (const type of ["link.lost", "link.welcomed", "link.challenged", "link.conflicted", "link.identified"] as const) {
    for (const it of [
      online(),
      line({}),
      line({ dial: ["link.challenged"] }),
      line({ ...GOOD, "link.identify": [] }),
    ]) {
      it.pass(300);
      const before = it.state;
      it.actor.send({
        type,
        attempt: it.context.attempt - 1,
        ending: "refused",
        because: "late",
        isNewIdentity: true,
      } as LinkFact);
      expect(it.state).toBe(before);
    }
  }
});

test("whatever happens in whatever order: one link at most, and online in the end", () => {
  const happening = fc.oneof(
    fc
      .constantFrom("connection.start", "connection.stop", "connection.dial")
      .map((type) => (it: Line) => it.ask(type as "connection.dial")),
    fc
      .constantFrom("link.challenged", "link.welcomed", "link.conflicted", "link.claimed", "link.registered")
      .map((type) => (it: Line) => it.say(type as LinkFact["type"])),
    fc
      .constantFrom(
        "ECONNRESET",
        "wamp.error.not_authorized",
        "wamp.error.procedure_already_exists",
        "wamp.close.normal",
      )
      .map((why) => (it: Line) => it.say("link.lost", why)),
    fc
      .constantFrom<Manners>(
        GOOD,
        {},
        { dial: ["link.challenged"] },
        { ...GOOD, "link.claim": ["link.conflicted"] },
        { ...GOOD, "link.leave": [] },
      )
      .map((manners) => (it: Line) => {
        it.manners = manners;
      }),
    fc.nat(40_000).map((time) => (it: Line) => it.pass(time)),
  );
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 40 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (story, random) => {
        const it = new Line();
        it.random = random;
        for (const happen of story) happen(it);
        expect(it.mostOpen).toBeLessThanOrEqual(1);
        it.manners = GOOD;
        it.ask("connection.start");
        it.pass(700_000);
        expect(it.state).toBe("linked.authenticated.online");
        expect(it.actor.getSnapshot().status).toBe("active");
      },
    ),
    { numRuns: Number(process.env["RUNS"] ?? 100) },
  );
}, 600_000);

test("every state is reachable", () => {
  const attempt = (type: string) => [1, 2].map((n) => ({ type, attempt: n, ending: "lost", because: "" }));
  const events = [
    { type: "connection.start" },
    { type: "connection.stop" },
    { type: "connection.dial" },
    ...[
      "link.challenged",
      "link.welcomed",
      "link.claimed",
      "link.conflicted",
      "link.testified",
      "link.identified",
      "link.registered",
      "link.synchronised",
      "link.lost",
    ].flatMap(attempt),
    { type: "link.identified", attempt: 1, isNewIdentity: true },
    { type: "link.lost", attempt: 1, ending: "refused", because: "" },
    { type: "link.lost", attempt: 1, ending: "taken", because: "" },
  ];
  const paths = getShortestPaths(connectionMachine, {
    input: { parent: deaf, now: () => 0, random: () => 0 },
    events: (state) =>
      [...events, ...state._nodes.flatMap((node) => node.after.map(({ eventType }) => ({ type: eventType })))] as never,
    serializeState: ({ value, context }) =>
      `${pathOf(value)} ${Math.min(context.attempt, 3)} ${context.isWanted} ${context.outage?.ending}`,
  });
  expect(new Set(paths.map(({ state }) => pathOf(state.value)))).toEqual(
    new Set([
      "offline",
      "linked.connecting",
      "linked.challenged",
      "linked.authenticated.claiming",
      "linked.authenticated.haunted",
      "linked.authenticated.testifying",
      "linked.authenticated.identifying",
      "linked.authenticated.registering",
      "linked.authenticated.synchronising",
      "linked.authenticated.online",
      "linked.leaving",
      "waiting.reconnecting",
      "waiting.rejected",
      "waiting.duplicate",
    ]),
  );
});
