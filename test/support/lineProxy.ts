/** A line between the agent and its router that can be frozen, half dead, silent or cut, as lines in the field are. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

interface Pair {
  readonly client: Socket;
  readonly router: Socket | undefined;
}

export class LineProxy {
  readonly #pairs = new Set<Pair>();
  readonly #orphans = new Set<Socket>();
  #isSilent = false;
  #bytes = 0;
  #target: () => number;
  readonly #server = createServer({ noDelay: true }, (client) => this.#open(client));

  /** Port of the router, asked for at each dial. */
  constructor(target: () => number) {
    this.#target = target;
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** That passed, both ways, without what TCP and IP add. */
  bytes(): number {
    return this.#bytes;
  }

  /** Nothing passes any more, either way; nobody is told. */
  freeze(): void {
    for (const { client, router } of this.#pairs) {
      client.pause();
      router?.pause();
    }
    this.#isSilent = true;
  }

  /** The router's side is gone and knows it, the device's is not told: half-open. */
  halfOpen(): void {
    for (const { client, router } of this.#pairs) {
      // Unpiped first: the end of the one side must not reach the other.
      client.unpipe();
      router?.unpipe();
      router?.destroy();
      client.resume();
    }
  }

  /** The device's side is gone, and the router is not told: it holds a ghost. */
  orphan(): void {
    for (const { client, router } of this.#pairs) {
      client.removeAllListeners("close");
      client.unpipe();
      router?.unpipe();
      router?.resume();
      if (router) this.#orphans.add(router);
      client.destroy();
    }
    this.#pairs.clear();
  }

  /** New connections are taken and never answered, old ones are cut. */
  silence(): void {
    this.cut();
    this.#isSilent = true;
  }

  cut(): void {
    for (const { client, router } of this.#pairs) {
      client.destroy();
      router?.destroy();
    }
  }

  /** All is well again; what was taken meanwhile is cut, so that it is dialled anew. */
  mend(): void {
    this.#isSilent = false;
    this.cut();
  }

  /** What was frozen passes on, and new connections do; what was hurt otherwise stays so. */
  thaw(): void {
    this.#isSilent = false;
    for (const { client, router } of this.#pairs) {
      client.resume();
      router?.resume();
    }
  }

  /** Connections that the device holds. */
  get held(): number {
    return this.#pairs.size;
  }

  /** Leads to another router from now on; whoever is on the line is cut. */
  lead(port: number): void {
    this.#target = () => port;
    this.cut();
  }

  close(): void {
    this.cut();
    for (const each of this.#orphans) each.destroy();
    this.#server.close();
  }

  #open(client: Socket): void {
    const router = this.#isSilent ? undefined : connect({ port: this.#target(), host: "127.0.0.1", noDelay: true });
    const pair: Pair = { client, router };
    this.#pairs.add(pair);
    client.on("close", () => this.#pairs.delete(pair)).on("error", () => {});
    if (!router) return void client.resume();
    router.on("error", () => client.destroy());
    for (const from of [client, router])
      from.on("data", (chunk: Buffer) => {
        this.#bytes += chunk.length;
      });
    client.pipe(router);
    router.pipe(client);
    client.on("close", () => router.destroy());
  }
}
