/**
 * The procedures of the back end that the agent calls, over one session. Each call has a deadline; each answer is checked;
 * whatever is wrong with it leaves as `back_end_failed`, and nothing else follows from it.
 */
import { type DesiredStates, parseDesiredStates } from "../model/desiredList.ts";
import type { Device } from "../model/device.ts";
import { type Ms, seconds } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import type { AppOrder } from "../model/order.ts";
import type { PortRule } from "../model/portRule.ts";
import {
  appReport,
  CredentialKey,
  DeviceMetadata,
  type DeviceStats,
  type Machine,
  RegistryToken,
  type Reported,
} from "../model/wireReport.ts";
import type { Session } from "./wampSession.ts";

/** Every call of the back end, by the name that problems are shown under. */
export const BACK_END = {
  metadata: "reswarm.devices.read_device_metadata",
  credentialKey: "reswarm.devices.get_app_cred_key",
  status: "reswarm.devices.update_device_status",
  architecture: "reswarm.devices.update_device_architecture",
  privilege: "reswarm.devices.check_privilege",
  desiredStates: "reswarm.containers.get_requested_app_states",
  report: "reswarm.containers.update_app_on_device",
  registryToken: "reswarm.containers.get_registry_token",
} as const;

/** A procedure of the router, and the topic that it publishes our last word to. */
export const ADD_TESTAMENT = "wamp.session.add_testament";
export const TESTAMENT_TOPIC = "reswarm.api.testament_device";

/** A slow line takes its time for a large message. */
const LOG_WITHIN = seconds(120);

export interface BackEndOptions {
  readonly session: Session;
  readonly device: () => Device;
  readonly agentVersion: string;
  readonly machine: Machine;
  /** The newest figures that are there: never waits. */
  readonly stats: () => DeviceStats;
  /** Default is 10 s. */
  readonly within?: Ms;
}

export class BackEnd {
  readonly #options: BackEndOptions;

  constructor(options: BackEndOptions) {
    this.#options = options;
  }

  /** Says DISCONNECTED for us when the session ends without a goodbye, and when it ends with one. */
  async addTestament(): Promise<void> {
    const { deviceKey, swarmKey, serial } = this.#options.device();
    const will = {
      swarm_key: swarmKey,
      device_key: deviceKey,
      serial_number: serial,
      wamp_session_id: this.#options.session.id,
    };
    await this.#options.session.call(ADD_TESTAMENT, [TESTAMENT_TOPIC, [will], {}]);
  }

  async metadata(): Promise<DeviceMetadata> {
    const [answer] = await this.#ask(BACK_END.metadata, [{ device_key: this.#options.device().deviceKey }]);
    return checked(BACK_END.metadata, DeviceMetadata.safeParse(answer));
  }

  /** The key that apps' credentials are derived from. */
  async credentialKey(): Promise<string> {
    const [answer] = await this.#ask(BACK_END.credentialKey, []);
    return checked(BACK_END.credentialKey, CredentialKey.safeParse(answer));
  }

  async status(status: "CONFIGURING" | "CONNECTED"): Promise<void> {
    const { session, device, stats } = this.#options;
    const { deviceKey, swarmKey } = device();
    await this.#ask(BACK_END.status, [
      { swarm_key: swarmKey, device_key: deviceKey, status, wamp_session_id: session.id, stats: stats() },
    ]);
  }

  async architecture(): Promise<void> {
    const { device, machine, agentVersion } = this.#options;
    const { deviceKey, swarmKey } = device();
    await this.#ask(BACK_END.architecture, [
      {
        swarm_key: swarmKey,
        device_key: deviceKey,
        architecture: machine.arch,
        os: machine.os,
        arch: machine.arch,
        variant: machine.variant,
        agent_version: agentVersion,
      },
    ]);
  }

  /** @throws back_end_failed for an answer that is no list: nothing may follow from it. */
  async desiredStates(): Promise<DesiredStates> {
    const args = await this.#ask(BACK_END.desiredStates, [{ device_key: this.#options.device().deviceKey }]);
    const parsed = parseDesiredStates(args);
    if (!parsed) throw new AgentError("back_end_failed", `${BACK_END.desiredStates} answers ${shown(args)}`);
    return parsed;
  }

  async tell(order: AppOrder, report: Reported): Promise<void> {
    await this.#ask(BACK_END.report, [appReport(this.#options.device(), order, report)]);
  }

  /** The port form of the same call: which port of the host each became. */
  async tellPorts(order: AppOrder, ports: readonly PortRule[]): Promise<void> {
    const { deviceKey, swarmKey } = this.#options.device();
    const { stage, key } = order.app;
    await this.#ask(BACK_END.report, [{ app_key: key, device_key: deviceKey, swarm_key: swarmKey, stage, ports }]);
  }

  /** False: the log lane is full; whoever writes logs waits. */
  get hasRoomForLogs(): boolean {
    return this.#options.session.hasRoom("logs");
  }

  /** Resolves when the lane takes more, or the link is over. */
  roomForLogs(): Promise<void> {
    return this.#options.session.room("logs");
  }

  /** Resolves when the router has it. @throws {RequestError} refused; any other: it may have it or not. */
  publishLog(topic: string, message: unknown): Promise<void> {
    return this.#options.session.publishAcknowledged(topic, [message], {}, LOG_WITHIN);
  }

  /** What the registry takes for a user name, with the device's secret as the password. */
  async registryToken(caller: number): Promise<string> {
    const [answer] = await this.#ask(BACK_END.registryToken, [{ callerID: caller }]);
    return checked(BACK_END.registryToken, RegistryToken.safeParse(answer));
  }

  async mayAccount(account: number, privilege: string): Promise<boolean> {
    const { deviceKey, swarmKey } = this.#options.device();
    const asked = {
      privilege,
      entity: "DEVICE",
      entity_key: deviceKey,
      requestor_account_key: account,
      swarm_key: swarmKey,
    };
    const [answer] = await this.#ask(BACK_END.privilege, [asked]);
    if (typeof answer !== "boolean")
      throw new AgentError("back_end_failed", `${BACK_END.privilege} answers ${shown(answer)}`);
    return answer;
  }

  async #ask(procedure: string, args: unknown[]): Promise<unknown[]> {
    const { session, within = seconds(10) } = this.#options;
    try {
      return (await session.call(procedure, args, {}, { within })).args;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AgentError("back_end_failed", `${procedure}: ${why}`, { cause: error });
    }
  }
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function checked<T>(procedure: string, parsed: Parsed<T>): T {
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const where = first?.path.map(String).join(".") || "it";
  throw new AgentError("back_end_failed", `${procedure} answers something else: ${where}: ${first?.message}`);
}

function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? "nothing").slice(0, 80);
  } catch {
    return "something nested too deeply";
  }
}
