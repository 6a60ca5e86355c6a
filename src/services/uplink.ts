/**
 * What can be said over the link right now. Links come and go; whoever has something to say holds on to this and is told
 * when there is none.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Ms } from "../model/duration.ts";
import { AgentError } from "../model/errors.ts";
import type { AppOrder } from "../model/order.ts";
import { type HostPorts, reportedRules } from "../model/portRule.ts";
import type { Reported } from "../model/wireReport.ts";
import type { BackEnd } from "./backEnd.ts";
import { RequestError } from "./wampCauses.ts";

/** busy: the lane is full, try again soon. gone: there is no link, or it does not take this. */
export type Sent = "sent" | "busy" | "gone";

export class Uplink {
  #backEnd: BackEnd | undefined;
  readonly #first = Promise.withResolvers<void>();

  /** From now on everything goes there; `undefined` when the link is over. */
  attach(backEnd: BackEnd | undefined): void {
    this.#backEnd = backEnd;
    if (backEnd) this.#first.resolve();
  }

  /** Resolves when there was a link for the first time, or `patience` is over. */
  async met(patience: Ms, signal: AbortSignal): Promise<void> {
    await Promise.race([this.#first.promise, sleep(patience, undefined, { signal, ref: false })]);
  }

  /** Undefined without a link. @throws {AgentError} back_end_failed */
  async registryToken(caller: number): Promise<string | undefined> {
    return this.#backEnd?.registryToken(caller);
  }

  /** @throws {AgentError} back_end_failed, request_failed */
  async tell(order: AppOrder, report: Reported): Promise<void> {
    if (!this.#backEnd) throw new AgentError("request_failed", "there is no link");
    await this.#backEnd.tell(order, report);
  }

  /** Nothing where there are none. @throws {AgentError} back_end_failed, request_failed */
  async tellPorts(order: AppOrder, ports: HostPorts): Promise<void> {
    if (!order.ports) return;
    if (!this.#backEnd) throw new AgentError("request_failed", "there is no link");
    await this.#backEnd.tellPorts(order, reportedRules(order.ports, ports));
  }

  /** One message on the topic of an app's log; never waits. */
  publishLog(topic: string, message: unknown): Sent {
    if (!this.#backEnd) return "gone";
    if (!this.#backEnd.hasRoomForLogs) return "busy";
    try {
      this.#backEnd.publishLog(topic, message);
      return "sent";
    } catch (error) {
      if (error instanceof RequestError) return error.code === "lane_full" ? "busy" : "gone";
      throw error;
    }
  }
}
