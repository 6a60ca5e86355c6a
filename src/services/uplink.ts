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
import type { Fate } from "./logPublisher.ts";
import { RequestError } from "./wampCauses.ts";

export class Uplink {
  #backEnd: BackEnd | undefined;
  readonly #first = Promise.withResolvers<void>();
  /** Of the next link. */
  #next = Promise.withResolvers<void>();

  /** From now on everything goes there; `undefined` when the link is over. */
  attach(backEnd: BackEnd | undefined): void {
    this.#backEnd = backEnd;
    if (!backEnd) return;
    this.#first.resolve();
    this.#next.resolve();
    this.#next = Promise.withResolvers();
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

  /** A message of an app's log would be taken now. */
  hasRoom(): boolean {
    return this.#backEnd?.hasRoomForLogs === true;
  }

  /** Resolves when it may be, however many links that takes. */
  async room(): Promise<void> {
    if (this.#backEnd) return this.#backEnd.roomForLogs();
    await this.#next.promise;
  }

  /** One message on the topic of an app's log. Never rejects. */
  async sendLog(topic: string, message: unknown): Promise<Fate> {
    if (!this.#backEnd) return "lost";
    try {
      await this.#backEnd.publishLog(topic, message);
      return "confirmed";
    } catch (error) {
      return error instanceof RequestError && error.code === "refused" ? "refused" : "lost";
    }
  }
}
