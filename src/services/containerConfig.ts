/**
 * The body of a container's creation: the only place that says what a container may do. Fields are named one by one;
 * nothing that came over the wire is spread into it.
 */
import { isIP } from "node:net";
import type { ContainerPolicy, Device } from "../model/device.ts";
import { labelsOf } from "../model/names.ts";
import { type AppOrder, variablesOf } from "../model/order.ts";
import { type HostPorts, portVariables } from "../model/portRule.ts";
import type { ContainerInfo, CreationBody } from "./docker.ts";

export interface Making {
  readonly order: AppOrder;
  readonly image: string;
  readonly device: Device;
  readonly policy: ContainerPolicy;
  /** Folders on the host, each real path checked. */
  readonly folders: { readonly data: string; readonly shared: string };
  /** Host paths that are bound where they are there and the policy allows it. */
  readonly extras: readonly string[];
  /** A runtime of the engine's other than its own. */
  readonly runtime: string | undefined;
  /** Which port of the host each declared one becomes. */
  readonly ports: HostPorts;
  /** The app's own credential; nothing of it where the back end never said its key. */
  readonly credential: Readonly<Record<string, string>>;
  /** Address of this device in its local network, if it has one. */
  readonly lanIp: string | undefined;
}

type HostConfig = NonNullable<CreationBody["HostConfig"]>;

/** As `docker logs` on a device needs it: bounded, and rotated by the engine. */
const LOG_CONFIG = { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } };

export function creationBody(making: Making): CreationBody {
  const { order, image, device, policy, folders, extras, runtime, ports } = making;
  const binds = [`${folders.shared}:/shared`, `${folders.data}:/data`, ...extras.map((path) => `${path}:${path}`)];
  return {
    Image: image,
    Tty: true,
    Env: environment(making),
    Labels: labelsOf(order, device.serial),
    ...exposed(ports),
    // The engine takes all else of the check from the image, and makes none where the image has none.
    ...(policy.unhealthyChecks && { Healthcheck: { Retries: policy.unhealthyChecks } }),
    HostConfig: {
      ...accessOf(policy),
      Binds: binds,
      ...bound(ports),
      NetworkMode: "bridge",
      ExtraHosts: ["host.docker.internal:host-gateway"],
      RestartPolicy: { Name: "no" },
      LogConfig: LOG_CONFIG,
      ...(runtime && { Runtime: runtime }),
    },
  };
}

/** What a container is, against what would be asked for now: image, variables, labels, mounts, ports, access, runtime. */
export function isMadeBy({ Config, HostConfig }: ContainerInfo, body: CreationBody): boolean {
  const isSame = shapeOf(Config.Image, HostConfig) === shapeOf(body.Image, body.HostConfig);
  const hasRuntime = body.HostConfig?.Runtime === undefined || body.HostConfig.Runtime === HostConfig.Runtime;
  const hasLabels = Object.entries(body.Labels ?? {}).every(([name, value]) => Config.Labels[name] === value);
  return isSame && hasRuntime && hasLabels && (body.Env ?? []).every((entry) => Config.Env.includes(entry));
}

/** What the engine keeps as it was asked for. */
function shapeOf(
  image: string | undefined,
  { Binds, PortBindings, Privileged, Devices }: Partial<HostConfig> = {},
): string {
  const devices = (Devices ?? []) as { PathOnHost: string }[];
  return JSON.stringify([
    image,
    Binds ?? [],
    PortBindings ?? {},
    Privileged === true,
    devices.map((each) => each.PathOnHost),
  ]);
}

const exposed = (ports: HostPorts) =>
  Object.keys(ports).length > 0
    ? { ExposedPorts: Object.fromEntries(Object.keys(ports).map((declared) => [declared, {}])) }
    : {};

/** On all of the device's addresses, as the original's are. */
const bound = (ports: HostPorts): Partial<HostConfig> =>
  Object.keys(ports).length > 0
    ? {
        PortBindings: Object.fromEntries(
          Object.entries(ports).map(([declared, port]) => [declared, [{ HostIp: "0.0.0.0", HostPort: String(port) }]]),
        ),
      }
    : {};

function accessOf({ access }: ContainerPolicy): Partial<HostConfig> {
  if (access === "full") {
    const all = { PathOnHost: "/dev", PathInContainer: "/dev", CgroupPermissions: "rwm" };
    return { Privileged: true, CapAdd: ["ALL"], Devices: [all] };
  }
  const paths = access === "none" ? [] : access;
  const devices = paths.map((path) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" }));
  return { SecurityOpt: ["no-new-privileges"], ...(devices.length > 0 && { Devices: devices }) };
}

/** Docker takes no more in one entry than the kernel does; larger ones are in the files alone. */
const LONGEST_ENTRY = 20 * 1024;

/** The agent's part, and the user's, whose values go before; but nobody else says who the app is. The device's secret is never in it. */
function environment({ order, device, lanIp, ports, credential }: Making): string[] {
  const entries: Record<string, string | number | undefined> = {
    DEVICE_SERIAL_NUMBER: device.serial,
    ENV: order.app.stage,
    DEVICE_KEY: device.deviceKey,
    SWARM_KEY: device.swarmKey,
    APP_KEY: order.app.key,
    APP_NAME: order.name,
    DEVICE_NAME: device.name,
    DEVICE_ENDPOINT_URL: fromInside(device.endpointUrl),
    TUNNEL_DOMAIN: tunnelDomain(device),
    DEVICE_LAN_IP: lanIp,
    INSTANCE_KEY: order.instanceKey,
  };
  const ours = { ...entries, ...portVariables(order.ports ?? [], ports) };
  return Object.entries({ ...ours, ...variablesOf(order), ...credential }).flatMap(([name, value]) => {
    const entry = value === undefined ? "" : `${name}=${oneLine(value)}`;
    return entry === "" || Buffer.byteLength(entry) > LONGEST_ENTRY ? [] : [entry];
  });
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const oneLine = (value: string | number): string =>
  String(value).replaceAll(/[\n\r\t]/g, (sign) => ESCAPES[sign] ?? "");

/** The router as a container sees it: loopback is the container's own. */
function fromInside(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(parsed.hostname)) return url;
  parsed.hostname = "host.docker.internal";
  return url.endsWith("/") ? parsed.href : parsed.href.replace(/\/$/, "");
}

/** The appliance's domain, else the router's host with its first label replaced by `app`. */
function tunnelDomain({ applianceDomain, endpointUrl }: Device): string | undefined {
  if (applianceDomain) return applianceDomain;
  const host = URL.parse(endpointUrl)?.hostname.replaceAll(/[[\]]/g, "");
  if (!host || isIP(host) || host === "localhost") return host;
  return ["app", ...host.split(".").slice(1)].join(".");
}
