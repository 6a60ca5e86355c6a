/** The answer of `get_requested_app_states`: what shall be, of every app of this device. */
import * as z from "zod";
import { appName } from "./app.ts";
import { type Asked, Key, parseAppRequest, Tree, WireError } from "./wireRequest.ts";

/** Rows of a list of desired states; a longer one is no such list. */
const MOST_ROWS = 10_000;
const Named = z.object({ stage: z.enum(["DEV", "PROD"]), app_key: Key });
type AsksForApp = Extract<Asked, { is: "order" }>;

/** What a list of desired states says. */
export interface DesiredStates {
  readonly orders: readonly AsksForApp[];
  /** Apps of any row that can be told from it, also where the rest cannot be read or is not handled. */
  readonly named: ReadonlySet<string>;
  /** Rows that this version does not handle; neither touched nor reported. */
  readonly unsupported: readonly string[];
  /** Elements that cannot be read, each with its reason. */
  readonly bad: readonly string[];
}

/**
 * The answer of `get_requested_app_states`. Development apps are their developer's, who may be at work on them: a row
 * changes nothing of them, and only says that they are there. One bad element does not spoil the others; of two about one app the later one
 * counts. An answer that is no list, or is absurdly long, says nothing at all (`undefined`), so nothing may follow from it.
 */
export function parseDesiredStates(args: readonly unknown[]): DesiredStates | undefined {
  const [list] = args;
  if (!Array.isArray(list) || list.length > MOST_ROWS) return undefined;
  const orders = new Map<string, { readonly at: number; readonly asked: AsksForApp }>();
  const unsupported: string[] = [];
  const bad: string[] = [];
  for (const [at, row] of list.entries()) {
    const asked = readRow(row);
    if (typeof asked === "string") bad.push(`element ${at}: ${asked}`);
    else if (asked.is === "refused") unsupported.push(`element ${at}: ${asked.why}`);
    else if (asked.order.app.stage === "PROD") {
      const name = appName(asked.order.app);
      const before = orders.get(name);
      if (before) bad.push(`element ${before.at}: ${name} stands in element ${at} too, which counts`);
      orders.set(name, { at, asked });
    }
  }
  const named = new Set(list.flatMap((row) => nameIn(row) ?? []));
  return { orders: [...orders.values()].map(({ asked }) => asked), named, unsupported, bad };
}

/** A row says what shall be: not that somebody calls something off now, nor what is. Words: why it is none. */
function readRow(row: unknown): Asked | string {
  try {
    return parseAppRequest({ ...Tree.parse(row), cancel_transition: false, current_state: "PRESENT" });
  } catch (error) {
    return error instanceof WireError ? error.message : "is no row";
  }
}

function nameIn(row: unknown): string | undefined {
  const { success, data } = Named.safeParse(row);
  return success ? `${data.stage}:${data.app_key}` : undefined;
}
