/** A client that says whatever it likes: frames of one's own making, with or without a proof of who it is. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import WebSocket from "ws";

export class RawClient {
  readonly ws: WebSocket;
  readonly heard: unknown[][] = [];
  readonly closed: Promise<unknown>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ws = new WebSocket(url, ["wamp.2.json"], { headers });
    this.ws.on("message", (data) => this.heard.push(JSON.parse(String(data))));
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) => this.ws.once("close", resolve));
  }

  async say(frame: unknown): Promise<void> {
    if (this.ws.readyState === WebSocket.CONNECTING) await once(this.ws, "open");
    this.ws.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The first message that fits, past ones too. */
  async hears(fits: (message: unknown[]) => boolean): Promise<unknown[]> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found) return found;
      await once(this.ws, "message");
    }
  }

  async join(authid: string, secret: string): Promise<this> {
    const roles = { callee: {}, caller: {}, publisher: {}, subscriber: {} };
    await this.say([1, "realm1", { authid, authmethods: ["wampcra"], roles }]);
    const [, , extra] = await this.hears(([type]) => type === 4);
    const { challenge } = extra as { challenge: string };
    await this.say([5, createHmac("sha256", secret).update(challenge).digest("base64"), {}]);
    await this.hears(([type]) => type === 2);
    return this;
  }
}
