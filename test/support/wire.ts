/**
 * An agent's link on a real router, held by the real connection machine, with a back end that answers as told. What the
 * agent says is written down in the order in which the router saw it.
 */
import { expect } from "vitest";
import { createActor, fromCallback } from "xstate";
import { type ConnectionReport, connectionMachine } from "../../src/machines/connection.ts";
import { pathOf } from "../../src/machines/observe.ts";
import { watch } from "../../src/machines/slot.ts";
import type { AppId } from "../../src/model/app.ts";
import type { DesiredStates } from "../../src/model/desiredList.ts";
import type { Device } from "../../src/model/device.ts";
import { type Ms, ms } from "../../src/model/duration.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { LinkFact, LinkOrder } from "../../src/model/link.ts";
import type { AppOrder } from "../../src/model/order.ts";
import type { Answer } from "../../src/model/outcomes.ts";
import type { Problem, Problems } from "../../src/model/problem.ts";
import type { RunRecord } from "../../src/model/runRecord.ts";
import { CODE } from "../../src/model/wamp.ts";
import type { DeviceMetadata, DeviceStats, Machine } from "../../src/model/wireReport.ts";
import { BACK_END, BackEnd } from "../../src/services/backEnd.ts";
import { createLinkSteps } from "../../src/services/linkSteps.ts";
import { procedures } from "../../src/services/procedures.ts";
import type { Question } from "../../src/services/questions.ts";
import { Uplink } from "../../src/services/uplink.ts";
import type { Endpoint } from "../../src/services/wampEndpoint.ts";
import { holdLink } from "../../src/services/wampLink.ts";
import type { Session } from "../../src/services/wampSession.ts";
import { MiniRouter, type User } from "../../src/studio/router/minirouter.ts";
import { Peer } from "../../src/studio/router/peer.ts";
import { dial } from "./link.ts";

export const SERIAL = "11111111-2222-3333-4444-555555555555";
export const STATS: DeviceStats = {
  cpu_count: 4,
  cpu_usage: 1.5,
  memory_total: 8,
  memory_used: 3,
  memory_available: 5,
  storage_total: 100,
  storage_used: 40,
  storage_free: 60,
  docker_apps_total: 50,
  docker_apps_used: 20,
  docker_apps_free: 30,
  docker_apps_mounted: true,
};
export const MACHINE: Machine = { os: "linux debian 12 6.1.0", arch: "amd64", variant: "" };
export const METADATA = { device_name: "press-01", swarm_name: "plant_a", ownername: "alice", swarm_key: 2 };

const person = (role = "operator"): User => ({ method: "wampcra", secret: "s3cret", role });
const USERS = {
  "2-31": person("device"),
  "3-31": person("device"),
  studio: person(),
  system: person(),
  "5": person(),
  "77": person(),
  "app-33-prod-e1@x": person(),
};

/** The names of message types, for a person who reads a test. */
const NAMES = Object.fromEntries(Object.entries(CODE).map(([name, code]) => [code, name.toUpperCase()]));

export interface WireOptions {
  readonly within?: number;
  readonly firstRetry?: number;
  readonly heartbeatEvery?: number;
  readonly secret?: string;
  readonly enforce?: "on" | "log" | "off";
  readonly renewEvery?: number;
}

export class Wire {
  readonly router = new MiniRouter({ users: USERS });
  /** What the agent said: type, then what it is about, then what it carries. */
  readonly said: { type: string; uri: string; options: object; args: unknown; kwargs: unknown }[] = [];
  readonly raw: unknown[][] = [];
  readonly problems = new TestProblems();
  readonly reports: string[] = [];
  readonly orders: AppOrder[] = [];
  readonly desired: DesiredStates[] = [];
  runsOf: (app: AppId) => readonly RunRecord[] = () => [];
  questions: Readonly<Record<string, Question>> = {};
  readonly credentialKeys: string[] = [];
  /** When the list of desired states is asked for again. */
  askAgain: Ms | undefined;
  readonly asked = new Map<string, { readonly args: unknown[]; readonly at: number }[]>();
  readonly wills: unknown[][] = [];
  readonly refused: string[] = [];
  /** Why each link ended. */
  readonly lost: string[] = [];
  /** How often a status was made up, sent or not. */
  statsRead = 0;
  readonly uplink = new Uplink();
  device: Device = {
    serial: SERIAL,
    deviceKey: 31,
    swarmKey: 2,
    name: "press-01",
    endpointUrl: "",
    registryUrl: "registry.test/",
    repository: "apps/",
    applianceDomain: "",
    machine: "amd64",
  };
  /** What the back end answers; what is missing here it answers well. */
  answers: Record<string, Endpoint> = {};
  order: (order: AppOrder) => Answer = (order) => {
    this.orders.push(order);
    return { outcome: "now", why: "because" };
  };
  listContainers: () => Promise<unknown[]> = async () => [{ Id: "c1" }];
  reported: () => Promise<void> = async () => {};
  readonly #options: WireOptions;
  readonly #receive = Peer.prototype.receive;
  readonly #sessions: Session[] = [];
  /** One for all links of this agent, as in the daemon. */
  readonly #linkSteps: ReturnType<Wire["steps"]>;
  readonly actor = this.#make();

  constructor(options: WireOptions = {}) {
    this.#options = options;
    this.#linkSteps = this.steps();
  }

  /** With a router and a back end, not dialled yet. */
  static async make(options: WireOptions = {}): Promise<Wire> {
    const wire = new Wire(options);
    await wire.router.listen();
    wire.#tap();
    await wire.#backEnd();
    return wire;
  }

  /** ... and online. */
  static async online(options: WireOptions = {}): Promise<Wire> {
    const wire = await Wire.make(options);
    wire.actor.send({ type: "connection.start" });
    await wire.until("linked.authenticated.online");
    return wire;
  }

  get state(): string {
    return pathOf(this.actor.getSnapshot().value);
  }

  async until(state: string): Promise<void> {
    await expect.poll(() => this.state, { timeout: 8_000, interval: 5 }).toBe(state);
  }

  /** The router's number of the agent's session. */
  get session(): number {
    return this.router.peer(this.authid).id;
  }

  get authid(): string {
    return `${this.device.swarmKey}-${this.device.deviceKey}`;
  }

  /** Cuts the agent's socket, and nobody else's. */
  cut(): void {
    this.router.peer(this.authid).ws.terminate();
  }

  async as(authid: string): Promise<Session> {
    const session = await dial(this.router.url, { authid }).joined;
    this.#sessions.push(session);
    return session;
  }

  /** What came of a call: the answer, or the error as it stands on the wire. */
  async call(caller: Session, name: string, args: unknown[] = [], kwargs: Record<string, unknown> = {}) {
    try {
      return await caller.call(`re.mgmt.${SERIAL}.${name}`, args, kwargs);
    } catch (error) {
      const { uri, args: words, kwargs: more } = error as { uri: string; args: unknown[]; kwargs: object };
      return { uri, args: words, kwargs: more };
    }
  }

  /** An INVOCATION as text, past every encoder; resolves with what the agent answers to it. */
  async invoke(name: string, payload: string, caller = "system"): Promise<unknown[]> {
    const registration = this.router.realm().dealer.find(`re.mgmt.${SERIAL}.${name}`)?.id;
    const request = 1_000_000 + this.raw.length;
    const details = JSON.stringify({ caller: 1, caller_authid: caller });
    const text = `[${CODE.invocation},${request},${registration},${details},${payload}]`;
    this.router.inject(this.router.peer(this.authid), text);
    const isIt = ([type, first, second]: unknown[]) =>
      (type === CODE.yield && first === request) || (type === CODE.error && second === request);
    await expect.poll(() => this.raw.some(isIt), { interval: 5 }).toBe(true);
    return this.raw.find(isIt) ?? [];
  }

  times(procedure: string): number {
    return this.asked.get(procedure)?.length ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.actor.stop();
    for (const session of this.#sessions) session.close();
    Peer.prototype.receive = this.#receive;
    await this.router.close({ goodbye: false });
  }

  #tap(): void {
    const wire = this;
    const receive = this.#receive;
    Peer.prototype.receive = function (this: Peer, message: unknown) {
      if (/^\d+-\d+$/.test(this.authid) || isHelloOfDevice(message)) wire.#note(message as unknown[]);
      receive.call(this, message);
    };
  }

  #note(message: unknown[]): void {
    this.raw.push(message);
    const [type, , options, uri, args, kwargs] = message as [number, unknown, object, string, unknown, unknown];
    this.said.push({ type: NAMES[type] ?? "", uri, options, args, kwargs });
  }

  async #backEnd(): Promise<void> {
    const studio = await this.as("studio");
    const good: Record<string, Endpoint> = {
      [BACK_END.metadata]: () => ({ ...METADATA, swarm_key: this.device.swarmKey }),
      [BACK_END.credentialKey]: () => "dGVzdC1rZXk=",
      [BACK_END.status]: () => ({ reswarmBaseURL: "https://studio.example.test" }),
      [BACK_END.architecture]: () => undefined,
      [BACK_END.privilege]: ([asked]) => (asked as { requestor_account_key: number }).requestor_account_key === 5,
      [BACK_END.desiredStates]: () => [],
      [BACK_END.report]: () => undefined,
    };
    for (const uri of Object.values(BACK_END)) {
      await studio.register(uri, (args, kwargs, about) => {
        this.asked.set(uri, [...(this.asked.get(uri) ?? []), { args, at: performance.now() }]);
        return (this.answers[uri] ?? good[uri])?.(args, kwargs, about);
      });
    }
    await studio.subscribe("reswarm.api.testament_device", (args) => void this.wills.push(args));
  }

  #make() {
    const parent = createActor(
      fromCallback<ConnectionReport>(({ receive }) => receive(({ type }) => this.reports.push(type))),
    );
    parent.start();
    const machine = connectionMachine.provide({
      actors: {
        holdLink: watch<LinkFact, { attempt: number }, LinkOrder>(({ input, sendBack, receive }) => {
          const link = this.hold(input.attempt, sendBack);
          receive((order) => link.receive(order));
          return () => link.release();
        }),
      },
    });
    const actor = createActor(machine, { input: { parent, now: () => Date.now(), random: () => 0 } });
    actor.start();
    return actor;
  }

  readonly hold = (attempt: number, say: (fact: LinkFact) => void) =>
    holdLink(
      attempt,
      {
        url: this.router.url,
        realm: "realm1",
        authid: this.authid,
        readSecret: () => this.#options.secret ?? "s3cret",
        agent: "reagent-test",
        laneOf: (uri) => (uri.startsWith("reswarm.logs.") ? "logs" : "control"),
      },
      this.#linkSteps,
      (fact) => {
        if (fact.type === "link.lost") this.lost.push(fact.because);
        say(fact);
      },
    );

  steps() {
    const { within = 2_000, firstRetry = 20, heartbeatEvery = 60_000, enforce = "on", renewEvery } = this.#options;
    return createLinkSteps({
      serial: SERIAL,
      problems: this.problems,
      heartbeatEvery: ms(heartbeatEvery),
      ...(renewEvery !== undefined && { renewEvery: ms(renewEvery) }),
      firstRetry: ms(firstRetry),
      backEnd: (session) =>
        new BackEnd({
          session,
          device: () => this.device,
          agentVersion: "0.1.0",
          machine: MACHINE,
          stats: () => {
            this.statsRead++;
            return STATS;
          },
          within: ms(within),
        }),
      procedures: (backEnd) =>
        procedures({
          serial: SERIAL,
          version: "0.1.0",
          machine: MACHINE,
          now: () => 1_700_000_000_999,
          order: ({ order }) => this.order(order),
          listContainers: () => this.listContainers(),
          runsOf: (app) => this.runsOf(app),
          questions: this.questions,
          onProblem: (what, error) => this.problems.note(what, error),
          privileges: {
            enforce,
            check: (account, privilege) => backEnd.mayAccount(account, privilege),
            onRefused: (who, what) => this.refused.push(`${who}: ${what}`),
          },
        }),
      onMetadata: async (metadata) => this.#isMoved(metadata),
      onCredentialKey: (key) => this.credentialKeys.push(key.reveal()),
      onDesiredStates: (states) => {
        this.desired.push(states);
        return this.askAgain;
      },
      reported: () => this.reported(),
      onBackEnd: (backEnd) => this.uplink.attach(backEnd),
    });
  }

  #isMoved({ swarm_key: swarmKey }: DeviceMetadata): boolean {
    const isMoved = swarmKey !== this.device.swarmKey;
    this.device = { ...this.device, swarmKey };
    return isMoved;
  }
}

function isHelloOfDevice(message: unknown): boolean {
  const [type, , details] = message as [number, string, { authid: string }];
  return type === CODE.hello && /^\d+-\d+$/.test(details.authid);
}

/** What stands in the status, and everything that ever stood there. */
export class TestProblems implements Problems {
  readonly now = new Map<string, Problem>();
  readonly ever: string[] = [];

  note(about: string, error: unknown): void {
    const { code, message: says } = AgentError.from(error);
    this.now.set(about, { about, code, says, since: 0 });
    this.ever.push(about);
  }
  clear(about: string): void {
    this.now.delete(about);
  }
  list(): readonly Problem[] {
    return [...this.now.values()];
  }
}
