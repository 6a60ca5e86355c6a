/**
 * Containers that an original agent made for an app that was taken over from it: they bear its exact name and its only
 * label, and none of ours. They count as ours, and as what is wanted, so nothing restarts for the sake of labels.
 */
import { type AppId, appName } from "../model/app.ts";
import { containerName, LABEL_PREFIX } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { ContainerInfo } from "./docker.ts";

export class Adoption {
  readonly #apps: readonly AppId[];
  readonly #orderOf: (app: AppId) => AppOrder | undefined;

  /** @param apps that were taken over: `PROD:42`. */
  constructor(apps: readonly string[], orders: readonly AppOrder[], orderOf: (app: AppId) => AppOrder | undefined) {
    this.#apps = orders.map(({ app }) => app).filter((app) => apps.includes(appName(app)));
    this.#orderOf = orderOf;
  }

  /** Names that such containers would have. */
  names(): string[] {
    return this.#orders().map(containerName);
  }

  /** The order that a container is there for; undefined if it is none of these. */
  orderOf({ Name, Config }: Pick<ContainerInfo, "Name" | "Config">): AppOrder | undefined {
    const labels = Config.Labels ?? {};
    if (labels["real"] !== "True" || Object.keys(labels).some((label) => label.startsWith(LABEL_PREFIX)))
      return undefined;
    return this.#orders().find((order) => `/${containerName(order)}` === Name);
  }

  #orders(): AppOrder[] {
    return this.#apps.flatMap((app) => this.#orderOf(app) ?? []);
  }
}
