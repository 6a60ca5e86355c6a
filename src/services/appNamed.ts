/** Which app somebody at a keyboard means. */
import { type AppId, appName } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { hint } from "../model/nearest.ts";
import type { AppOrder } from "../model/order.ts";

/** @param asked its name, its key, or `PROD:42`. @throws {AgentError} unknown_app, also where two have that name. */
export function appNamed(orders: readonly AppOrder[], asked: unknown): AppId {
  const words = String(asked).slice(0, 100);
  const found = orders.filter(({ app, name }) => [appName(app), name, String(app.key)].includes(words));
  const [one, other] = found;
  if (one && !other) return one.app;
  const names = found.map(({ app }) => appName(app)).join(" or ");
  const why = one
    ? `"${words}" may be ${names}`
    : `"${words}"${hint(
        words,
        orders.map(({ name }) => name),
      )}`;
  throw new AgentError("unknown_app", why);
}
