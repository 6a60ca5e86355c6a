/** The slot of the connection machine: orders in, facts with the number of the attempt out, the end once. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinkFact, LinkOrder } from "../../src/model/link.ts";
import { type HeldLink, holdLink, type LinkSteps } from "../../src/services/wampLink.ts";
import type { MiniRouter } from "../../src/studio/router/minirouter.ts";
import { startRouter } from "../support/link.ts";

let router: MiniRouter;
let held: HeldLink[] = [];
beforeEach(async () => {
  router = await startRouter();
});
afterEach(async () => {
  for (const link of held) link.release();
  held = [];
  await router.close({ goodbye: false });
});

const STEPS: LinkSteps = {
  claim: async (session) => void (await session.register("dev.dev1", () => 1, { force: false, patience: 0 })),
  testify: async (session) => void (await session.call("wamp.session.add_testament", ["dev.gone", [], {}])),
  identify: async () => false,
  register: async (session) => void (await session.register("dev.dev1.a", () => 1)),
  synchronise: async () => {},
};
function hold(attempt: number, steps: Partial<LinkSteps> = {}) {
  const facts: LinkFact[] = [];
  const options = {
    url: router.url,
    realm: "realm1",
    authid: "dev1",
    readSecret: () => "s3cret",
    agent: "reagent-test",
    laneOf: () => "control" as const,
  };
  const link = holdLink(attempt, options, { ...STEPS, ...steps }, (fact) => facts.push(fact));
  held.push(link);
  const fact = (type: LinkFact["type"]) => expect.poll(() => facts.map((one) => one.type)).toContain(type);
  const order = (type: LinkOrder["type"]) => link.receive({ type });
  return { link, facts, fact, order };
}

test("the whole way up, and out", async () => {
  const { facts, fact, order } = hold(7);
  await fact("link.welcomed");
  for (const [step, done] of [
    ["claim", "claimed"],
    ["testify", "testified"],
    ["identify", "identified"],
    ["register", "registered"],
    ["synchronise", "synchronised"],
  ] as const) {
    order(`link.${step}`);
    await fact(`link.${done}`);
  }
  order("link.leave");
  await fact("link.lost");
  expect(facts.at(-1)).toEqual({ type: "link.lost", attempt: 7, ending: "lost", because: "left" });
  expect(facts.every(({ attempt }) => attempt === 7)).toBe(true);
});

test("a name that is taken is a conflict, and asked again it may be free", async () => {
  const [first, second] = [hold(1), hold(2)];
  await Promise.all([first.fact("link.welcomed"), second.fact("link.welcomed")]);
  first.order("link.claim");
  await first.fact("link.claimed");
  second.order("link.claim");
  await second.fact("link.conflicted");
  first.link.release();
  await expect.poll(() => router.peers.length).toBe(1);
  second.order("link.claim");
  await second.fact("link.claimed");
  expect(first.facts.at(-1)?.type).toBe("link.claimed");
});

test("a step that fails ends the link with the router's own word", async () => {
  const { facts, fact, order } = hold(3, { register: async (session) => void (await session.call("no.body")) });
  await fact("link.welcomed");
  order("link.register");
  await fact("link.lost");
  expect(facts.at(-1)).toMatchObject({ attempt: 3, because: "wamp.error.no_such_procedure" });
});
