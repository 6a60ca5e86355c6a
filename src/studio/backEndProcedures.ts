/**
 * What the back end answers to devices. Who asks is who the router says he is: a device speaks of itself alone. Everything
 * is checked; what is wrong is answered with one sentence, told as a problem, and changes nothing.
 */
import { randomBytes } from "node:crypto";
import {
  AppReport,
  ArchitectureReport,
  DeviceQuestion,
  PortsReport,
  PrivilegeQuestion,
  read,
  StatusReport,
  type StudioEvent,
  Testament,
  TokenRequest,
} from "../model/studio.ts";
import { WireError } from "../model/wireRequest.ts";
import { type Dict, type Endpoint, Refusal } from "../services/wampEndpoint.ts";
import { rowOf } from "./appSync.ts";
import type { DesiredStates, DeviceRow } from "./desiredStates.ts";

export interface Office {
  readonly store: DesiredStates;
  readonly emit: (event: StudioEvent) => void;
  /** Account keys of the people who may do anything. The first one owns the devices. */
  readonly accounts: readonly [number, ...number[]];
  readonly now: () => Date;
}

type Schema<Out> = Parameters<typeof read<Out>>[0];

/** Full name -> what answers it. */
export function backEndProcedures(office: Office): ReadonlyMap<string, Endpoint> {
  const { store, emit, accounts, now } = office;

  /** `run` gets what was said, and the device that said it, which is the one that it is about. */
  function about<Out extends object>(schema: Schema<Out>, run: (said: Out, device: DeviceRow) => unknown): Endpoint {
    return ([first], _, { caller, procedure }) => {
      try {
        const device = knownAs(store, caller.authid);
        const said = read(schema, first);
        onlyOfItself(device, said as Dict);
        return run(said, device);
      } catch (error) {
        if (!(error instanceof Refusal) && !(error instanceof WireError)) throw error;
        const refusal = error instanceof Refusal ? error : new Refusal("wamp.error.invalid_argument", [error.message]);
        emit({ type: "problem", about: `${procedure} by ${caller.authid}`, because: String(refusal.args[0]) });
        throw refusal;
      }
    };
  }

  const reported = about(AppReport, (report, device) => {
    store.noteReport(device, report, now());
    emit({ type: "app.reported", device: nameOf(device), report });
    return null;
  });
  const ported = about(PortsReport, (report, device) => {
    emit({ type: "app.ports", device: nameOf(device), report });
    return null;
  });

  return new Map(
    Object.entries({
      "reswarm.devices.read_device_metadata": about(DeviceQuestion, (_, { name, swarmName, owner, swarmKey }) => ({
        device_name: name,
        swarm_name: swarmName,
        ownername: owner,
        swarm_key: swarmKey,
      })),
      "reswarm.devices.get_app_cred_key": (_, kwargs, invoked) =>
        about(Anything, (__, device) => device.credentialKey)([{}], kwargs, invoked),
      "reswarm.devices.update_device_status": about(StatusReport, ({ status, wamp_session_id: session }, device) => {
        store.noteStatus(device, status, session);
        emit({ type: "device.status", device: nameOf(device), status, session });
        return null;
      }),
      "reswarm.devices.update_device_architecture": about(ArchitectureReport, (description, device) => {
        emit({ type: "device.described", device: nameOf(device), about: description });
        return null;
      }),
      "reswarm.devices.check_privilege": about(PrivilegeQuestion, ({ requestor_account_key: account }) =>
        accounts.includes(account),
      ),
      "reswarm.containers.get_requested_app_states": about(DeviceQuestion, (_, device) =>
        store.wishes(device).map((wish) => rowOf(device, wish, accounts[0])),
      ),
      "reswarm.containers.update_app_on_device": (args, kwargs, invoked) =>
        (isAboutPorts(args[0]) ? ported : reported)(args, kwargs, invoked),
      // The studio's registry asks for no password, so this opens nothing.
      "reswarm.containers.get_registry_token": about(TokenRequest, () => randomBytes(24).toString("base64url")),
    } satisfies Record<string, Endpoint>),
  );
}

/** No argument list is sent, so none is looked at. */
const Anything: Schema<object> = DeviceQuestion.partial();

const isAboutPorts = (said: unknown): boolean =>
  typeof said === "object" && said !== null && "ports" in said && !("state" in said);

export const nameOf = ({ serial, deviceKey, name }: DeviceRow) => ({ serial, deviceKey, name });

/**
 * The will of a device: its link is gone. It comes late where the router noticed late, and the device may have a new link
 * by then; so it counts only for the session that the device named last.
 */
export function testified({ store, emit }: Office, args: readonly unknown[]): void {
  const { serial_number: serial, wamp_session_id: session } = read(Testament, args[0]);
  const device = store.device(serial);
  if (device?.session !== session || device.status === "DISCONNECTED") return;
  disconnected({ store, emit }, device);
}

export function disconnected({ store, emit }: Pick<Office, "store" | "emit">, device: DeviceRow): void {
  store.noteStatus(device, "DISCONNECTED", 0);
  emit({ type: "device.status", device: nameOf(device), status: "DISCONNECTED", session: 0 });
}

function knownAs(store: DesiredStates, authid: string | undefined): DeviceRow {
  if (authid === undefined) throw refused("the router does not say who calls; it has to disclose callers");
  const device = store.deviceOf(authid);
  if (device === undefined) throw refused(`${authid} is no device of this studio`);
  return device;
}

function onlyOfItself(device: DeviceRow, said: Dict): void {
  const { device_key: deviceKey = device.deviceKey, swarm_key: swarmKey = device.swarmKey } = said;
  const { serial_number: serial = device.serial } = said;
  const isItself = deviceKey === device.deviceKey && swarmKey === device.swarmKey && serial === device.serial;
  if (!isItself) throw refused(`${device.name} speaks of another device`);
}

const refused = (why: string): Refusal => new Refusal("wamp.error.not_authorized", [why]);
