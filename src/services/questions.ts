/** What a studio asks of a device and its engine: names of procedures, who may, and the answers in the original's form. */
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { dictIn, flagIn, parseAppLogQuery, parseContainerName, parseDeviceLogQuery } from "../model/logQuery.ts";
import type { DeviceStats } from "../model/wireReport.ts";
import type { DeviceLogAnswer } from "./deviceLog.ts";
import type { Image } from "./docker.ts";
import type { ImagePruner } from "./imagePruner.ts";
import type { LogQueries } from "./logQueries.ts";
import type { Privilege } from "./privileges.ts";
import { type Endpoint, payload } from "./wampEndpoint.ts";

export interface QuestionOptions {
  readonly now: () => number;
  readonly logQueries: LogQueries;
  readonly deviceLog: (query: ReturnType<typeof parseDeviceLogQuery>) => Promise<DeviceLogAnswer>;
  readonly images: () => Promise<readonly Image[]>;
  readonly pruner: ImagePruner;
  /** The newest figures that are there: never waits. */
  readonly stats: () => DeviceStats;
  /** Addresses of this device. */
  readonly interfaces?: typeof networkInterfaces;
}

export interface Question {
  /** Undefined: whoever the router lets call. */
  readonly privilege?: Privilege;
  /** Completes "insufficient privileges to". */
  readonly what: string;
  readonly run: Endpoint;
}

export function questions(options: QuestionOptions): Readonly<Record<string, Question>> {
  const { now, logQueries, deviceLog, images, pruner, stats, interfaces = networkInterfaces } = options;
  const read = (what: string, run: Endpoint): Question => ({ privilege: "READ", what, run });
  return {
    query_app_logs: read("query app logs", (args) => logQueries.appLogs(parseAppLogQuery(args, now()))),
    get_app_log_history: read("get app log history", async (args) =>
      payload([await logQueries.history(parseContainerName(args))]),
    ),
    query_device_logs: read("query device logs", (args) => deviceLog(parseDeviceLogQuery(args, now()))),
    get_images: read("get images", async () => payload((await images()).map(imageShown))),
    prune_images: {
      privilege: "MAINTAIN",
      what: "prune images",
      run: async (args) => {
        const all = flagIn(dictIn(args), "all", false);
        const words = await pruner.prune(all);
        return payload(all ? [words] : []);
      },
    },
    get_storage_data: read("get storage data", () => stats()),
    get_network_metadata: {
      what: "get network metadata",
      run: () => payload(addressesOf(interfaces()).map((each) => ({ IP: each.address, Mask: maskOf(each) }))),
    },
    get_ipv4_addresses: {
      what: "get ipv4 addresses",
      run: () =>
        payload([
          addressesOf(interfaces())
            .filter(({ family, internal, name }) => family === "IPv4" && !internal && !name.startsWith("docker"))
            .map(({ name, address }) => ({ interfaceName: name, ip: address })),
        ]),
    },
    get_tunnel_state: { what: "get tunnel state", run: () => payload([[]]) },
  };
}

const imageShown = (image: Image) => ({
  created: image.Created,
  containers: image.Containers,
  sharedSize: image.SharedSize,
  virtualSize: image.VirtualSize ?? image.Size,
  id: image.Id,
  labels: image.Labels ?? {},
  size: image.Size,
  repoTags: image.RepoTags ?? [],
});

const addressesOf = (all: ReturnType<typeof networkInterfaces>) =>
  Object.entries(all).flatMap(([name, found]) => (found ?? []).map((address) => ({ name, ...address })));

/** The bytes of a mask in base64, as Go's JSON has them. */
function maskOf({ cidr, family }: NetworkInterfaceInfo): string {
  const bits = Number(cidr?.split("/")[1] ?? 0);
  const byte = (_: unknown, at: number) => 256 - 2 ** (8 - Math.min(Math.max(bits - 8 * at, 0), 8));
  return Buffer.from(Array.from({ length: family === "IPv4" ? 4 : 16 }, byte)).toString("base64");
}
