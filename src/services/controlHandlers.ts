/** What somebody on the device may ask of the agent about its apps, beside its status. */
import type { ShownLine } from "../model/logLine.ts";
import type { Journal } from "./journal.ts";
import { LiveLog, type LiveLogOptions } from "./liveLog.ts";
import type { Orders } from "./orders.ts";

export interface ControlHandlersOptions extends LiveLogOptions {
  readonly ordersOf: Orders;
  readonly journal: Journal;
}

export function controlHandlers({ ordersOf, journal, ...live }: ControlHandlersOptions) {
  const log = new LiveLog(live);
  return {
    handlers: {
      runs: (params: unknown) => ordersOf.runs(params, (app) => journal.runs(app)),
      retry: (params: unknown) => ordersOf.wake(params, "retry"),
      hold: (params: unknown) => ordersOf.wake(params, "hold"),
    },
    streams: {
      logs: (params: unknown, send: (lines: readonly ShownLine[]) => Promise<void>, signal: AbortSignal) =>
        log.tell(params, send, signal),
    },
  };
}
