/**
 * The studio as the gate of a router that asks: who may come in (a dynamic authenticator) and what he may do (a dynamic
 * authorizer), as Crossbar.io calls them. So a fleet's router needs no list of devices: a device that is added is let in.
 */
import { randomBytes } from "node:crypto";
import { authidOf } from "../model/names.ts";
import { type Dict, type Endpoint, Refusal } from "../services/wampEndpoint.ts";
import type { DesiredStates } from "./desiredStates.ts";
import { permit } from "./router/access.ts";
import type { Action } from "./router/wamp.ts";
import { ROLES } from "./studioRoles.ts";

export const AUTHENTICATE = "reswarm.router.authenticate";
export const AUTHORIZE = "reswarm.router.authorize";

export interface GateOptions {
  readonly store: DesiredStates;
  readonly operator: { readonly authid: string; readonly secret: string };
}

/** Full name -> what answers it. */
export function gateProcedures({ store, operator }: GateOptions): ReadonlyMap<string, Endpoint> {
  const deviceOf = (authid: string) => store.devices().find((device) => authidOf(device) === authid);
  return new Map<string, Endpoint>([
    [
      AUTHENTICATE,
      onlyForRouter(([, authid]) => {
        if (authid === operator.authid) return { secret: operator.secret, role: "operator" };
        // Nobody's secret is one that nobody knows: who is there and who is not looks the same from outside.
        const secret = deviceOf(String(authid))?.secret ?? randomBytes(32).toString("base64");
        return { secret, role: "device" };
      }),
    ],
    [
      AUTHORIZE,
      onlyForRouter(([session, uri, action, options]) => {
        const { session: id = 0, authid = "", authrole = "" } = (session ?? {}) as Dict;
        const who = { id: Number(id), authid: String(authid), authrole: String(authrole) };
        try {
          const serial = deviceOf(who.authid)?.serial;
          const match = optionsOf(options);
          const disclose = permit(ROLES, { ...who, serial }, String(action) as Action, String(uri), match);
          // What a pattern may is another matter than what its text may, and the router remembers by the text alone.
          return { allow: true, disclose, cache: action === "call" || action === "publish" };
        } catch {
          return { allow: false };
        }
      }),
    ],
  ]);
}

const optionsOf = (options: unknown): Dict =>
  typeof options === "object" && options !== null ? (options as Dict) : {};

/** Crossbar.io asks in a session of its own, whose role it gives to nobody else. Others could read secrets. */
function onlyForRouter(answer: (args: unknown[]) => unknown): Endpoint {
  return (args, _, { caller }) => {
    if (caller.authrole !== "trusted") throw new Refusal("wamp.error.not_authorized", ["only the router may ask"]);
    return answer(args);
  };
}
