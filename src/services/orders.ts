/**
 * Takes orders: to disk first, then to the app's actor, and says what becomes of each. What was answered is kept, whatever
 * happens to this process next.
 */
import { type AppId, type Asker, appName, type WireState } from "../model/app.ts";
import type { DesiredStates } from "../model/desiredList.ts";
import { type Ms, ms } from "../model/duration.ts";
import { AgentError, type ErrorCode } from "../model/errors.ts";
import { type Doubt, SECOND_LOOK, unlisted } from "../model/listRule.ts";
import { type AppOrder, desiredOf, onTopOf, releaseOf } from "../model/order.ts";
import { type Answer, answerTo, answerToWaiting, desiredAfter, type State } from "../model/outcomes.ts";
import type { Known } from "../model/plan.ts";
import type { Problems } from "../model/problem.ts";
import type { RunRecord } from "../model/runRecord.ts";
import type { Asked } from "../model/wireRequest.ts";
import { appNamed } from "./appNamed.ts";

export interface OrdersOptions {
  /** All of them or none, durable when it returns. @throws {AgentError} storage_failed */
  readonly keep: (orders: readonly AppOrder[]) => void;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** Everything that is kept about an app goes away. */
  readonly forget: (app: AppId) => void;
  /** Where the app's actor is; undefined if it has none. */
  readonly whereIs: (app: AppId) => (Known & { readonly state: string }) | undefined;
  /** Those of every app that is known here. */
  readonly orders: () => readonly AppOrder[];
  /** A list that was believed: what it does not name, and nobody knows, belongs to nobody. */
  readonly onGoodList: (named: ReadonlySet<string>) => void;
  readonly now: () => number;
  readonly problems: Problems;
  readonly send: (
    event:
      | ReturnType<typeof orderedEvent>
      | {
          type: "app.repeat" | "app.forget" | "app.retry" | "app.hold";
          app: AppId;
        },
  ) => void;
}

type AsksForApp = Omit<Extract<Asked, { is: "order" }>, "is">;

interface Waiting {
  readonly asked: AsksForApp;
  readonly by: Asker;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** What becomes of a request: the order that is kept, unless it is refused. */
interface Decided {
  readonly order: AppOrder;
  readonly answer: Answer;
  readonly by: Asker;
}

const orderedEvent = (order: AppOrder, by: Asker) =>
  ({ type: "app.ordered", app: order.app, desired: desiredOf(order), by }) as const;

const DOUBT = "desired_states.doubt";

export class Orders {
  readonly #options: OrdersOptions;
  readonly #waiting: Waiting[] = [];
  /** Apps that go because the list does not name them. */
  readonly #unlisted = new Set<string>();
  /** The last list, if it was not believed. */
  #doubt: Doubt | undefined;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /**
   * What comes in one turn of the loop is written together: a storm of requests waits for the disk once. Rejects with
   * {AgentError} storage_failed; then nothing has changed.
   */
  take(asked: AsksForApp, by: Asker): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ asked, by, resolve, reject });
    if (this.#waiting.length === 1) setImmediate(() => this.#takeWaiting());
    return promise;
  }

  #takeWaiting(): void {
    const waiting = this.#waiting.splice(0);
    try {
      const decided = this.#decide(waiting);
      this.#accept(decided);
      for (const [at, { resolve }] of waiting.entries()) resolve((decided[at] as Decided).answer);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /** What becomes of each, in order: the later one stands on the earlier one. */
  #decide(all: readonly Pick<Waiting, "asked" | "by">[]): Decided[] {
    const newest = new Map<string, AppOrder>();
    return all.map(({ asked, by }) => {
      const name = appName(asked.order.app);
      const decided = this.#decideOn(asked, by, newest.get(name) ?? this.#options.orderOf(asked.order.app));
      if (decided.answer.outcome !== "refused") newest.set(name, decided.order);
      return decided;
    });
  }

  #decideOn({ order: asked, cancels, isVersionOpen }: AsksForApp, by: Asker, before: AppOrder | undefined): Decided {
    const merged = onTopOf(isVersionOpen ? { ...asked, ...versionIn(before) } : asked, before);
    const wish = { desired: desiredOf(merged), cancels };
    const here = this.#options.whereIs(asked.app);
    if (!here || !before) return { order: merged, answer: forNewApp(merged, cancels), by };
    const [state, known] = [here.state as State, { ...here, desired: desiredOf(before) }];
    const answer = answerTo(state, wish, known);
    const { target, version } = by === "person" ? desiredAfter(state, wish, known) : wish.desired;
    const order = onTopOf({ ...merged, target, version, releaseKey: releaseOf(merged, version) }, merged);
    return { order, answer, by };
  }

  /** @throws {AgentError} storage_failed; then nothing has changed. */
  #accept(all: readonly Decided[]): void {
    const { keep, send } = this.#options;
    const accepted = all.filter(({ answer }) => answer.outcome !== "refused");
    if (accepted.length > 0) keep(accepted.map(({ order }) => order));
    for (const { order, by } of accepted) send(orderedEvent(order, by));
  }

  /** @param params `{ app }`, as for `wake`. @throws {AgentError} unknown_app */
  runs(params: unknown, runsOf: (app: AppId) => readonly RunRecord[]) {
    const app = appNamed(this.#options.orders(), (params as { app?: unknown } | undefined)?.app);
    return { app: appName(app), name: this.#options.orderOf(app)?.name ?? "", runs: runsOf(app) };
  }

  /**
   * `retry`: what waits is tried now. `hold`: it is not tried again by itself. No desire changes.
   *
   * @param params `{ app }`: its name, its key, or `PROD:42`. @throws {AgentError} unknown_app
   */
  wake(params: unknown, request: "retry" | "hold"): Answer & { readonly app: string } {
    const { orders, whereIs, send } = this.#options;
    const app = appNamed(orders(), (params as { app?: unknown } | undefined)?.app);
    const known = whereIs(app);
    if (!known) return { app: appName(app), outcome: "refused", why: "it begins anew after a defect" };
    const answer = answerToWaiting(known.state as State, request, known);
    if (answer.outcome !== "refused") send({ type: request === "retry" ? "app.retry" : "app.hold", app });
    return { app: appName(app), ...answer };
  }

  /**
   * What the back end's list says: its rows become desires, and what it does not name goes, unless that is much at once.
   *
   * @returns when the list has to be asked for again, if it was not believed. @throws storage_failed
   */
  sync({ orders, named, unsupported, bad }: DesiredStates): Ms | undefined {
    const { orders: all, now, problems, onGoodList } = this.#options;
    this.#note("desired_states.bad", "back_end_failed", bad);
    this.#note("desired_states.unsupported", "unsupported", unsupported);
    this.#takeWaiting();
    for (const { order } of orders) this.#unlisted.delete(appName(order.app));
    this.#accept(this.#decide(orders.map((asked) => ({ asked, by: "sync" }))));
    const known = new Map(all().map((order) => [appName(order.app), order]));
    const { gone, doubt } = unlisted([...known.keys()], named, this.#doubt, now());
    this.#doubt = doubt;
    for (const name of gone) {
      const order = known.get(name);
      if (order) this.#removeUnlisted(order);
    }
    if (!doubt) {
      problems.clear(DOUBT);
      onGoodList(named);
      return undefined;
    }
    problems.note(DOUBT, new AgentError("list_doubted", doubt.missing.slice(0, 5).join(", ")));
    return ms(Math.max(doubt.since + SECOND_LOOK - now(), 1_000));
  }

  /** The back end knows nothing of this app, so nothing is told about it. */
  isUnlisted(app: AppId): boolean {
    return this.#unlisted.has(appName(app));
  }

  /** Its container and its images go; its data stay. */
  #removeUnlisted(order: AppOrder): void {
    const name = appName(order.app);
    this.#unlisted.add(name);
    const { keep, send } = this.#options;
    const removal: AppOrder = { ...order, target: "REMOVED" };
    if (order.target !== "REMOVED") keep([removal]);
    send(orderedEvent(removal, "sync"));
    send({ type: "app.repeat", app: order.app });
  }

  #note(about: string, code: ErrorCode, rows: readonly string[]): void {
    const { problems } = this.#options;
    if (rows.length === 0) problems.clear(about);
    else problems.note(about, new AgentError(code, rows.slice(0, 5).join("; ")));
  }

  /** The back end has heard a state. An app that is gone, as was wanted, and is known to be gone, needs no place any more. */
  heard(app: AppId, state: WireState): void {
    const { orderOf, whereIs, forget, send } = this.#options;
    const isOver = state === "REMOVED" && orderOf(app)?.target === "REMOVED";
    if (!isOver || whereIs(app)?.state !== "absent.removed") return;
    this.#unlisted.delete(appName(app));
    forget(app);
    send({ type: "app.forget", app });
  }
}

const forNewApp = ({ app, target, version }: AppOrder, cancels: boolean): Answer =>
  cancels
    ? { outcome: "refused", why: "nothing that can be cancelled is going on" }
    : {
        outcome: "now",
        why: `${target} with version ${version || "(none)"} is taken up now; ${appName(app)} is new here`,
      };

/** The version that is here, where an app is. */
const versionIn = (before: AppOrder | undefined): Partial<AppOrder> =>
  before && before.version !== "" && (before.target === "RUNNING" || before.target === "PRESENT")
    ? { version: before.version, releaseKey: before.releaseKey }
    : {};
