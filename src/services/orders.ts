/**
 * Takes orders: to disk first, then to the app's actor, and says what becomes of each. What was answered is kept, whatever
 * happens to this process next.
 */
import { type AppId, type Asker, appName, type WireState } from "../model/app.ts";
import { AgentError, type ErrorCode } from "../model/errors.ts";
import { type AppOrder, desiredOf } from "../model/order.ts";
import { type Answer, answerTo, type State } from "../model/outcomes.ts";
import type { Known } from "../model/plan.ts";
import type { Problems } from "../model/problem.ts";
import type { DesiredStates } from "../model/wireRequest.ts";

export interface OrdersOptions {
  /** Durable when it returns. @throws {AgentError} storage_failed */
  readonly keep: (order: AppOrder) => void;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  /** Everything that is kept about an app goes away. */
  readonly forget: (app: AppId) => void;
  /** Where the app's actor is; undefined if it has none. */
  readonly whereIs: (app: AppId) => (Known & { readonly state: string }) | undefined;
  readonly problems: Problems;
  readonly send: (event: ReturnType<typeof orderedEvent> | { type: "app.repeat" | "app.forget"; app: AppId }) => void;
}

const orderedEvent = (order: AppOrder, by: Asker) =>
  ({ type: "app.ordered", app: order.app, desired: desiredOf(order), by }) as const;

export class Orders {
  readonly #options: OrdersOptions;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** An owner that is not named stays who it was. @throws {AgentError} storage_failed: then nothing has changed. */
  take(asked: AppOrder, by: Asker): Answer {
    const { keep, orderOf, whereIs, send } = this.#options;
    const order = { ...asked, owner: asked.owner || (orderOf(asked.app)?.owner ?? 0) };
    const known = whereIs(order.app);
    const answer = known ? answerTo(known.state as State, desiredOf(order), known) : forNewApp(order);
    if (answer.outcome === "refused") return answer;
    keep(order);
    send(orderedEvent(order, by));
    if (answer.outcome === "done" && by === "person") send({ type: "app.repeat", app: order.app });
    return answer;
  }

  /** What the back end's list says: its rows become desires; nothing is removed because of it. @throws storage_failed */
  sync({ orders, unsupported, bad }: DesiredStates): void {
    this.#note("desired_states.bad", "back_end_failed", bad);
    this.#note("desired_states.unsupported", "unsupported", unsupported);
    for (const order of orders) this.take(order, "sync");
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
    forget(app);
    send({ type: "app.forget", app });
  }
}

const forNewApp = ({ app, target, version }: AppOrder): Answer => ({
  outcome: "now",
  why: `${target} with version ${version || "(none)"} is taken up now; ${appName(app)} is new here`,
});
