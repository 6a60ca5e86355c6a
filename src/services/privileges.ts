/**
 * Who may do what. Decided on the authid that the router discloses, before any call on behalf of somebody else is looked
 * at: an app's own credential, a device and nobody may change nothing, `system` may, an account is asked for at the
 * back end. The original checks nothing before `request_app_state`.
 */
import { WireError } from "../model/wireRequest.ts";

export type Privilege = "READ" | "DEVELOP" | "MAINTAIN";

export interface PrivilegeOptions {
  /** `on`: enforced. `log`: what would be refused is told and let through. `off`: nothing is checked. */
  readonly enforce: "on" | "log" | "off";
  /** Asks the back end about an account key. */
  readonly check: (account: number, privilege: Privilege) => Promise<boolean>;
  readonly onRefused: (who: string, what: string) => void;
}

export interface Attempt {
  readonly authid: string | undefined;
  readonly privilege: Privilege;
  /** `list containers`: completes "insufficient privileges to". */
  readonly what: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Resolves if the caller may. @throws {WireError} with the original's words if not, or if nobody can tell. */
export async function permit(attempt: Attempt, options: PrivilegeOptions): Promise<void> {
  if (options.enforce === "off") return;
  try {
    await decide(attempt, options);
  } catch (error) {
    options.onRefused(attempt.authid ?? "nobody", attempt.what);
    if (options.enforce === "on") throw error;
  }
}

async function decide(attempt: Attempt, { check }: PrivilegeOptions): Promise<void> {
  const { authid, privilege, what } = attempt;
  const denied = new WireError(`insufficient privileges to ${what}`, "not_permitted");
  if (authid === "system") {
    // The platform may change the desired state for anybody; what is only for reading is checked for the person.
    if (privilege === "DEVELOP") return;
    const account = onBehalfOf(attempt);
    if (account === "nobody") throw denied;
    return account === undefined ? undefined : ask(account);
  }
  if (authid === undefined || !/^\d{1,15}$/.test(authid)) throw denied;
  return ask(Number(authid));

  async function ask(account: number): Promise<void> {
    const isAllowed = await check(account, privilege).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new WireError(`could not verify privileges: ${why}`, "not_verified");
    });
    if (!isAllowed) throw denied;
  }
}

/** The account that the platform acts for; `nobody` if it names one that is no account key. */
function onBehalfOf({ args, kwargs }: Attempt): number | "nobody" | undefined {
  const [first] = args;
  const inArgs = typeof first === "object" && first !== null ? (first as Record<string, unknown>) : {};
  const value = kwargs["requestor_account_key"] ?? inArgs["requestor_account_key"];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : "nobody";
}
