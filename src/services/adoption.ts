/**
 * Containers that an original agent made for an app that was taken over from it: they bear its exact name and its only
 * label, and none of ours. They count as ours, and as what is wanted, so nothing restarts for the sake of labels.
 */
import { type AppId, appName } from "../model/app.ts";
import { containerName, keptName, LABEL_PREFIX } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { ContainerInfo } from "./docker.ts";

/** In place of the labels that ours bear. */
export interface Adopted {
  readonly app: AppId;
  readonly version: string;
  readonly spec: string;
}

/** `1.0.0` of `registry:5000/apps/weather:1.0.0`; nothing after the colon of a port. */
const tagOf = (image: string): string => /:([^:/]+)$/.exec(image)?.[1] ?? "latest";

export class Adoption {
  readonly #revisions: Readonly<Record<string, string>>;
  readonly #apps: readonly AppId[];
  readonly #orderOf: (app: AppId) => AppOrder | undefined;

  /** @param revisions of the apps that were taken over, by name: `PROD:42`. */
  constructor(
    revisions: Readonly<Record<string, string>>,
    orders: readonly AppOrder[],
    orderOf: (app: AppId) => AppOrder | undefined,
  ) {
    this.#revisions = revisions;
    this.#apps = orders.map(({ app }) => app).filter((app) => appName(app) in revisions);
    this.#orderOf = orderOf;
  }

  /** Names that such containers would have. */
  names(): string[] {
    return this.#orders().flatMap((order) => [containerName(order), keptName(order)]);
  }

  /** Whether the app was an original's. */
  knows(app: AppId): boolean {
    return appName(app) in this.#revisions;
  }

  /** What a container is there for; undefined if it is none of these. */
  of({ Name, Config }: Pick<ContainerInfo, "Name" | "Config">): Adopted | undefined {
    const labels = Config.Labels ?? {};
    if (labels["real"] !== "True" || Object.keys(labels).some((label) => label.startsWith(LABEL_PREFIX)))
      return undefined;
    const order = this.#orders().find((each) => [containerName(each), keptName(each)].includes(Name.slice(1)));
    return order && { app: order.app, spec: this.#revisions[appName(order.app)] ?? "", version: tagOf(Config.Image) };
  }

  #orders(): AppOrder[] {
    return this.#apps.flatMap((app) => this.#orderOf(app) ?? []);
  }
}
