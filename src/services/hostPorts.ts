/**
 * Which port of the host each declared port of an app is: once given it stays, also while the app is stopped, until the app
 * is forgotten. One app is served after the other, so no two get the same.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { AgentError } from "../model/errors.ts";
import type { AppOrder } from "../model/order.ts";
import { type Declared, declaredOf, type HostPorts, publishedOf } from "../model/portRule.ts";
import type { ContainerInfo } from "./docker.ts";
import type { Store } from "./store.ts";

/** The original's pool. */
const FIRST = 40_000;
const LAST = 49_999;

type Probe = (port: number, protocol: "tcp" | "udp") => Promise<boolean>;

export class HostPortPool {
  readonly #store: Pick<Store, "portsOf" | "keepPorts" | "takenPorts">;
  readonly #isFree: Probe;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Pick<Store, "portsOf" | "keepPorts" | "takenPorts">, isFree: Probe = canBind) {
    this.#store = store;
    this.#isFree = isFree;
  }

  of(order: AppOrder): HostPorts {
    return this.#store.portsOf(order.app);
  }

  /** @param live what a container has now that is going to be replaced. @throws {AgentError} bad_configuration: none is left. */
  assign(order: AppOrder, live: HostPorts = {}): Promise<HostPorts> {
    return this.#alone(async () => {
      const kept = this.of(order);
      const ports: Partial<Record<Declared, number>> = {};
      for (const rule of publishedOf(order.ports ?? [])) {
        const declared = declaredOf(rule);
        const wished = this.#unlessTaken(live[declared]) ?? this.#unlessTaken(rule.host_port ?? undefined);
        const same = order.app.stage === "DEV" ? await this.#unlessInUse(rule.port, declared) : undefined;
        ports[declared] = kept[declared] ?? wished ?? same ?? (await this.#next(declared, ports));
      }
      if (JSON.stringify(ports) !== JSON.stringify(kept)) this.#store.keepPorts(order.app, ports);
      return ports;
    });
  }

  /** Another one for the one that somebody else has. */
  replace(order: AppOrder, taken: number): Promise<HostPorts> {
    return this.#alone(async () => {
      const ports: Partial<Record<Declared, number>> = { ...this.of(order) };
      for (const declared of Object.keys(ports) as Declared[])
        if (ports[declared] === taken) ports[declared] = await this.#next(declared, ports);
      this.#store.keepPorts(order.app, ports);
      return ports;
    });
  }

  /** Who develops an app finds it where he says; the second one to ask gets another port. */
  async #unlessInUse(port: number, declared: Declared): Promise<number | undefined> {
    const isFree = this.#unlessTaken(port) !== undefined && (await this.#isFree(port, protocolOf(declared)));
    return isFree ? port : undefined;
  }

  #unlessTaken(port: number | undefined): number | undefined {
    return port && !this.#store.takenPorts().has(port) ? port : undefined;
  }

  async #next(declared: Declared, own: HostPorts): Promise<number> {
    const protocol = protocolOf(declared);
    const taken = new Set([...this.#store.takenPorts(), ...Object.values(own)]);
    for (let port = FIRST; port <= LAST; port++)
      if (!taken.has(port) && (await this.#isFree(port, protocol))) return port;
    throw new AgentError("bad_configuration", `no port from ${FIRST} to ${LAST} is free`);
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(run);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

const protocolOf = (declared: Declared): "tcp" | "udp" => (declared.endsWith("udp") ? "udp" : "tcp");

/** Whether it can be had on all addresses right now. */
async function canBind(port: number, protocol: "tcp" | "udp"): Promise<boolean> {
  const server = protocol === "tcp" ? createServer() : createSocket("udp4");
  try {
    if ("listen" in server) server.listen({ port, host: "0.0.0.0", exclusive: true });
    else server.bind({ port, address: "0.0.0.0", exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** The port that an engine's error says somebody else has; Docker's own words. */
export function takenPortIn(words: string): number | undefined {
  const [, port] = /:(\d{1,5})\D*(?:already allocated|already in use)/.exec(words) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** Ports of the host that a container has. */
export function portsIn(info: ContainerInfo | undefined): HostPorts {
  const bindings = (info?.HostConfig.PortBindings ?? {}) as Record<string, { HostPort?: string }[] | null>;
  const entries = Object.entries(bindings).map(([declared, all]) => [declared, Number(all?.[0]?.HostPort ?? 0)]);
  return Object.fromEntries(entries.filter(([, port]) => Number(port) > 0));
}
