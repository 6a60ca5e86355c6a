/**
 * The one file that knows both sides: it makes the services, pours them into the machines' slots, and runs the tree.
 * Reading it top to bottom is reading the whole program's wiring. It has no logic of its own.
 */
import { join } from "node:path";
import { createActor, fromPromise, waitFor } from "xstate";
import { agentMachine } from "./machines/agent.ts";
import { appMachine } from "./machines/app.ts";
import { connectionMachine } from "./machines/connection.ts";
import { engineMachine } from "./machines/engine.ts";
import { type FollowInput, logsMachine } from "./machines/logs.ts";
import { overview, seeStates } from "./machines/observe.ts";
import { isAllTold, reporterMachine, type TellInput } from "./machines/reporter.ts";
import { watch } from "./machines/slot.ts";
import { type AppId, appName, type Facts, type StepInput, type WatchFact } from "./model/app.ts";
import { ms, seconds } from "./model/duration.ts";
import type { Flags } from "./model/flags.ts";
import type { LinkFact, LinkOrder } from "./model/link.ts";
import { desiredOf } from "./model/order.ts";
import { EFFECTS, type Effect } from "./model/plan.ts";
import { createAppServices } from "./services/appServices.ts";
import { BackEnd } from "./services/backEnd.ts";
import { watchClock } from "./services/clockWatch.ts";
import { controlHandlers } from "./services/controlHandlers.ts";
import { startControl } from "./services/controlServer.ts";
import { machineHere, Stats } from "./services/deviceStats.ts";
import { createEngine } from "./services/docker.ts";
import { watchEngine } from "./services/dockerEvents.ts";
import { openHome } from "./services/home.ts";
import { LinkLog } from "./services/linkLog.ts";
import { linkOptionsOf } from "./services/linkOptions.ts";
import { createLinkSteps } from "./services/linkSteps.ts";
import { createLogServices } from "./services/logServices.ts";
import { Orders } from "./services/orders.ts";
import { removeOrphans } from "./services/orphans.ts";
import { goFirst } from "./services/priority.ts";
import { procedures } from "./services/procedures.ts";
import { createQuestions } from "./services/questionServices.ts";
import { RunWatcher } from "./services/runRecords.ts";
import { statusOf } from "./services/statusReport.ts";
import { Uplink } from "./services/uplink.ts";
import { holdLink } from "./services/wampLink.ts";
import { Watcher } from "./services/watcher.ts";

/** Everything outside that the machines reach, by slot. Each `watch` answers with what ends it. */
export interface Services {
  readonly steps: Readonly<Record<Effect, (input: StepInput, signal: AbortSignal) => Promise<Facts>>>;
  readonly tellState: (input: TellInput, signal: AbortSignal) => Promise<void>;
  readonly watchEngine: (say: (fact: WatchFact) => void) => () => void;
  readonly followLogs: (run: FollowInput, onEnd: () => void) => () => void;
  readonly watchListeners: (app: AppId, onHearing: (isHeard: boolean) => void) => () => void;
  readonly holdLink: (
    attempt: number,
    say: (fact: LinkFact) => void,
  ) => { receive(order: LinkOrder): void; release(): void };
}

/** Fills every slot of every machine, and puts the machines together. */
export function wire({ steps, tellState, watchEngine, followLogs, watchListeners, holdLink }: Services) {
  const step = (name: Effect) => fromPromise<Facts, StepInput>(({ input, signal }) => steps[name](input, signal));
  const effects = Object.fromEntries(EFFECTS.map((name) => [name, step(name)])) as Record<
    Effect,
    ReturnType<typeof step>
  >;
  const app = appMachine.provide({ actors: effects });
  const reporter = reporterMachine.provide({
    actors: { tellState: fromPromise(({ input, signal }) => tellState(input, signal)) },
  });
  const engine = engineMachine.provide({
    actors: { watchEngine: watch(({ sendBack }) => watchEngine(sendBack)) },
  });
  const logs = logsMachine.provide({
    actors: {
      followLogs: watch(({ input, sendBack }) => followLogs(input, () => sendBack({ type: "logs.ended" }))),
      watchListeners: watch(({ input, sendBack }) =>
        watchListeners(input.app, (isHeard) => sendBack({ type: isHeard ? "logs.heard" : "logs.unheard" })),
      ),
    },
  });
  const connection = connectionMachine.provide({
    actors: {
      holdLink: watch(({ input, sendBack, receive }) => {
        const link = holdLink(input.attempt, sendBack);
        receive((order) => link.receive(order));
        return () => link.release();
      }),
    },
  });
  return agentMachine.provide({ actors: { app, connection, engine, logs, reporter } });
}

export interface RunOptions {
  readonly flags: Flags;
  /** Path of the .flock file. */
  readonly config: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

export interface Running {
  /** GOODBYE, databases closed, locks free; within 3 s. Apps go on as they are. */
  stop(): Promise<void>;
  /** Settles only when the agent cannot go on: a lock lost, a defect in the root. */
  readonly failed: Promise<never>;
}

/** The daemon: everything that is kept, every service, and the tree on top. @throws {AgentError} what keeps it from starting. */
export async function run({ flags, config, env, version }: RunOptions): Promise<Running> {
  const machine = machineHere();
  const now = Date.now;
  const home = await openHome({ flags, config, env, machine, now });
  const { log, problems, store, journal, flock, settings, appsDir } = home;
  goFirst(log);
  const device = () => flock.device();
  const { serial } = device();
  const orderOf = (app: AppId) => store.orderOf(app);
  const allOrders = () => store.apps().map(({ order }) => order);

  const engine = createEngine({ socketPath: settings["docker.socket"] });
  const uplink = new Uplink();
  const stats = new Stats(appsDir, now);
  const runs = new RunWatcher({
    now,
    keep: (app, record) => journal.keep(app, record),
    known: (app) => journal.runs(app),
    onEnd: (app, run) => {
      const order = orderOf(app);
      if (order) void logs.keepLast(order, run);
    },
  });
  const { logs, listeners, shelf } = createLogServices({
    ...{ home: home.folder, serial, engine, uplink, log, problems, orderOf, now },
    onPrinted: (app, run, lines) => runs.printed(app, run, lines),
  });
  const { steps, ports, adoption } = createAppServices({
    ...{ settings, appsDir, store, engine, uplink, logs, device },
    deviceSecret: () => flock.secret(),
  });
  const { questions, logQueries } = createQuestions({
    ...{ engine, serial, shelf, logs, adoption, device, now, logFile: home.logFile },
    orders: allOrders,
    stats: () => stats.read(),
  });
  const orders = new Orders({
    keep: (orders) => store.keepOrders(orders),
    orderOf,
    forget: (app) => {
      store.forget(app);
      logs.forget(app);
      watcher.forget(app);
      steps.forget(app);
      runs.forget(app);
      journal.forget(app);
    },
    orders: allOrders,
    onGoodList: (named) => {
      const isKnown = (app: string) => named.has(app) || store.apps().some(({ order }) => appName(order.app) === app);
      void removeOrphans({ engine, serial, isKnown, log });
    },
    now,
    problems,
    whereIs: (app) => overview(agent.getSnapshot()).apps.find((each) => appName(each.app) === appName(app)),
    send: (event) => agent.send(event),
  });
  const linkSteps = createLinkSteps({
    serial,
    problems,
    backEnd: (session) => new BackEnd({ session, device, agentVersion: version, machine, stats: () => stats.read() }),
    procedures: (backEnd) =>
      procedures({
        serial,
        version,
        machine,
        now,
        privileges: {
          enforce: settings["security.enforce"],
          check: (account, privilege) => backEnd.mayAccount(account, privilege),
          onRefused: (who, what) => log.warn({ who, what }, "a caller was refused"),
        },
        order: (asked) => orders.take(asked, "person"),
        onProblem: (what, error) => log.warn({ what, error }, "a call ended with an error"),
        listContainers: () => engine.containers(),
        questions,
        runsOf: (app) => journal.runs(app),
      }),
    onMetadata: (metadata) => flock.takeOver(metadata, (error) => problems.note("flock", error)),
    onCredentialKey: (key) => store.keepCredentialKey(key),
    onDesiredStates: (states) => orders.sync(states),
    reported: async () => {
      const reporter = agent.getSnapshot().children.reporter;
      if (reporter)
        await waitFor(reporter, ({ context }) => isAllTold(context), { timeout: seconds(10) }).catch(() => {});
    },
    onBackEnd: (backEnd) => uplink.attach(backEnd),
    onRegistered: (session) => void listeners.attach(session),
  });
  const watcher = new Watcher({
    log,
    now,
    orderOf,
    keepMemory: (app, memory, error) => store.keepMemory(app, memory, error),
    seeRun: (seen) => runs.see(seen),
    keepUntold: (reports) => store.keepUntold(reports),
    say: (order, text, run) => logs.sayLast(order, text, run),
  });
  const startedAt = now();
  const linkLog = new LinkLog(log, now);

  const agent = createActor(
    wire({
      steps,
      tellState: async (report) => {
        const { app, state } = report;
        const order = orderOf(app);
        if (!order) return;
        if (!orders.isUnlisted(app)) await uplink.tell(order, report);
        if (state === "RUNNING" || state === "PRESENT") await uplink.tellPorts(order, ports.of(order));
        orders.heard(app, state);
      },
      watchEngine: (say) => watchEngine({ engine, serial, adoption, now }, say),
      followLogs: (run, onEnd) => logs.follow(run, onEnd),
      watchListeners: (app, onHearing) => logs.listen(app, onHearing),
      holdLink: (attempt, say) =>
        holdLink(
          attempt,
          linkOptionsOf({ settings, flags, env, version, log, linkLog, device, secret: () => flock.secret() }),
          linkSteps,
          say,
        ),
    }),
    {
      id: "agent",
      inspect: seeStates((seen) => watcher.see(seen)),
      input: {
        known: store
          .apps()
          .map(({ order, memory, error }) => ({ app: order.app, desired: desiredOf(order), memory, error })),
        isOffline: flags.offline,
        untold: store.untold(),
        updates: { strategy: settings["update.strategy"], probation: seconds(settings["update.probation"]) },
        now,
        random: Math.random,
      },
    },
  );
  const unwatch = flock.watch(
    () => agent.send({ type: "link.dial" }),
    (what, error) => log.warn({ error }, what),
  );
  const unwatchClock = watchClock({
    now,
    monotonic: () => performance.now(),
    onStep: (moved) => {
      log.info({ moved }, "the clock was set, or the machine slept");
      agent.send({ type: "link.dial" });
    },
  });
  const failed = Promise.withResolvers<never>();
  agent.subscribe({ error: failed.reject });
  home.lost.catch(failed.reject);
  agent.start();
  const { handlers, streams } = controlHandlers({
    ...{ engine, now, journal, ordersOf: orders, orders: allOrders },
    containerOf: (app) => logQueries.containerOf(app),
    keptOf: (app) => shelf.last(app)?.lines ?? [],
    nextRun: (app, signal) => runs.next(app, signal),
    words: logs,
  });
  const control = await startControl({
    path: join(home.folder, "reagent.sock"),
    streams,
    handlers: {
      ...handlers,
      status: () =>
        statusOf(overview(agent.getSnapshot()), {
          ...{ version, startedAt, orderOf, home: home.folder, socket: engine.socketPath },
          ...{ serial, url: linkLog.url ?? device().endpointUrl },
          ...{ problems: problems.list(), takenOver: store.takenOver },
          since: (actor) => watcher.since(actor),
          linkWords: (because) => linkLog.wordsOf(because),
        }),
    },
  });
  log.info({ version, serial, home: home.folder, apps: store.apps().length }, "the agent runs");

  return {
    failed: failed.promise,
    stop: async () => {
      unwatchClock();
      unwatch();
      agent.send({ type: "agent.stop" });
      await waitFor(agent, ({ status }) => status === "done", { timeout: ms(2_800) }).catch(() => agent.stop());
      await control.close();
      logs.close();
      await home.close();
    },
  };
}
