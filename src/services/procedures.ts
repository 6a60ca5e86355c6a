/**
 * What the device answers over the link, by name. Every failure leaves as the original's: one error URI, one sentence in
 * its first argument; the code stands in the keyword arguments.
 */
import type { AppId } from "../model/app.ts";
import { AgentError } from "../model/errors.ts";
import { procedureName } from "../model/names.ts";
import type { Answer } from "../model/outcomes.ts";
import { type RunRecord, RunsQuestion } from "../model/runRecord.ts";
import type { Machine } from "../model/wireReport.ts";
import { type Asked, parseAppRequest, WireError } from "../model/wireRequest.ts";
import { type Attempt, type Privilege, type PrivilegeOptions, permit } from "./privileges.ts";
import type { Question } from "./questions.ts";
import { type Dict, type Endpoint, payload, Refusal } from "./wampEndpoint.ts";

export interface ProcedureOptions {
  readonly serial: string;
  readonly version: string;
  readonly machine: Machine;
  readonly privileges: PrivilegeOptions;
  readonly now: () => number;
  /** Writes the order to disk and hands it to the app's actor; says what becomes of it. @throws storage_failed */
  readonly order: (asked: Extract<Asked, { is: "order" }>) => Answer | Promise<Answer>;
  /** Every container of the engine, as its API lists them. */
  readonly listContainers: () => Promise<unknown[]>;
  /** What is only asked, by name. */
  readonly questions: Readonly<Record<string, Question>>;
  /** What is kept of the last runs of an app, newest first. */
  readonly runsOf: (app: AppId) => readonly RunRecord[];
  /** A failure of this agent, as it goes to the caller: it is told here too. */
  readonly onProblem?: (what: string, error: AgentError) => void;
}

/** The procedure that says that a device is there: claimed first, never by force. */
export const PRESENCE = "wamp_connection_established";

/** Arguments together may be as long as this, as JSON, and nested as deep. */
const LONGEST = 1 << 20;
const DEEPEST = 100;

interface Guarded {
  readonly privilege: Privilege;
  readonly what: string;
}

/** Full name -> what answers it, except for the presence procedure. */
export function procedures(options: ProcedureOptions): ReadonlyMap<string, Endpoint> {
  const { serial, version, machine, now, order, listContainers, onProblem } = options;
  const guarded = (what: Guarded, run: Endpoint) => guard(what, run, options.privileges);
  const table: Record<string, Endpoint> = {
    device_handshake: () => payload([], { utp: rfc3339(now()), id: serial }),
    get_agent_metadata: guarded({ privilege: "READ", what: "get agent metadata" }, () => ({
      os: machine.os,
      arch: machine.arch,
      variant: machine.variant,
      version,
      serialNumber: serial,
      canUpdate: false,
      OSVersion: machine.os,
    })),
    request_app_state: guarded({ privilege: "DEVELOP", what: "request app state" }, async (_, kwargs) => {
      const asked = parseAppRequest(kwargs);
      const answer: Answer = asked.is === "order" ? await order(asked) : { outcome: "refused", why: asked.why };
      return payload([], { outcome: answer.outcome, why: answer.why });
    }),
    get_app_runs: guarded({ privilege: "READ", what: "get app runs" }, ([asked]) => {
      const app = RunsQuestion.safeParse(asked);
      if (!app.success) throw new WireError("the first argument has to be { app_key, stage }");
      return options.runsOf({ stage: app.data.stage, key: app.data.app_key });
    }),
    list_containers: guarded({ privilege: "READ", what: "list containers" }, () => listContainers()),
    ...Object.fromEntries(
      Object.entries(options.questions).map(([name, { privilege, what, run }]) => [
        name,
        privilege ? guarded({ privilege, what }, run) : run,
      ]),
    ),
  };
  return new Map(
    Object.entries(table).map(([name, endpoint]) => {
      const tell = (error: AgentError) => onProblem?.(`procedure ${name}`, error);
      return [procedureName(serial, name), safe(endpoint, tell)];
    }),
  );
}

/** Says hello; that it is there is all that matters. */
export const presence: Endpoint = () => "Hello :-)";

function guard({ privilege, what }: Guarded, run: Endpoint, privileges: PrivilegeOptions): Endpoint {
  return async (args, kwargs, about) => {
    const attempt: Attempt = { authid: about.caller.authid, privilege, what, args, kwargs };
    await permit(attempt, privileges);
    return run(args, kwargs, about);
  };
}

function safe(endpoint: Endpoint, tell: (error: AgentError) => void): Endpoint {
  return async (args, kwargs, about) => {
    try {
      checkSize([args, kwargs]);
      return await endpoint(args, kwargs, about);
    } catch (error) {
      const known = error instanceof WireError ? error : AgentError.from(error);
      if (known instanceof AgentError) tell(known);
      const told: Dict = { code: known.code };
      throw new Refusal("wamp.error.canceled", [{ error: known.message }], told);
    }
  };
}

/** Depth first: deep nesting is what ends JSON.stringify. */
function checkSize(given: unknown): void {
  if (isDeeper(given, DEEPEST + 2)) throw new WireError("the arguments are nested too deeply");
  if (JSON.stringify(given).length > LONGEST) throw new WireError("the arguments are too long");
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

/** With seconds, as Go's time.RFC3339. */
const rfc3339 = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;
