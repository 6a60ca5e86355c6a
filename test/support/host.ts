/** The ports of a simulated host: who has each right now, and the agent's own pool, which says whose it shall be. */
import { type AppId, appName } from "../../src/model/app.ts";
import { AgentError } from "../../src/model/errors.ts";
import type { AppOrder } from "../../src/model/order.ts";
import { type HostPorts, PortRules } from "../../src/model/portRule.ts";
import { HostPortPool, takenPortIn } from "../../src/services/hostPorts.ts";

const STRANGER = "a stranger";

export class SimHost {
  /** What is on disk: the port of each app. */
  readonly #kept = new Map<string, HostPorts>();
  readonly #holders = new Map<number, string>();
  #ids = 0;
  readonly #pool = new HostPortPool(
    {
      portsOf: (app) => this.#kept.get(appName(app)) ?? {},
      keepPorts: (app, ports) => void this.#kept.set(appName(app), ports),
      takenPorts: () => new Set([...this.#kept.values()].flatMap((ports) => ports["80/tcp"] ?? [])),
    },
    async (port) => !this.#holders.has(port),
  );

  /** Of a container: no two on the host have the same. */
  newId(): string {
    return `c${++this.#ids}`;
  }

  portOf(app: AppId): number | undefined {
    return this.#kept.get(appName(app))?.["80/tcp"];
  }

  /** @param live the port of a container that is going to be replaced. */
  async assign(app: AppId, live?: number): Promise<number> {
    return (await this.#pool.assign(orderOf(app), live === undefined ? {} : { "80/tcp": live }))["80/tcp"] ?? 0;
  }

  /** Another port, if the error says that somebody else has the app's. */
  async isExchanged(app: AppId, error: unknown): Promise<boolean> {
    const taken = takenPortIn(AgentError.from(error).message);
    if (taken === undefined || taken !== this.portOf(app)) return false;
    await this.#pool.replace(orderOf(app), taken);
    return true;
  }

  release(app: AppId): void {
    this.#kept.delete(appName(app));
  }

  /** @throws {AgentError} as the engine says it when somebody else has the port. */
  bind(port: number, container: string): void {
    const holder = this.#holders.get(port) ?? container;
    if (holder !== container)
      throw new AgentError("container_failed", `Bind for 0.0.0.0:${port} failed: port is already allocated`);
    this.#holders.set(port, container);
  }

  free(container: string): void {
    for (const [port, holder] of this.#holders) if (holder === container) this.#holders.delete(port);
  }

  holderOf(port: number | undefined): string | undefined {
    return port === undefined ? undefined : this.#holders.get(port);
  }

  /** A program of the device takes a port, if nobody has it right now. */
  strangerTakes(port: number | undefined): void {
    if (port !== undefined && !this.#holders.has(port)) this.#holders.set(port, STRANGER);
  }

  strangersLeave(): void {
    this.free(STRANGER);
  }
}

const orderOf = (app: AppId): AppOrder => ({
  ...{ app, name: "weather", target: "RUNNING", version: "1", releaseKey: 0, requestor: 0, owner: 0 },
  ports: PortRules.parse([{ port: 80 }]),
});
