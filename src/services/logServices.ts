/** The logs of apps, put together from the engine, the link, and what is kept. */
import { join } from "node:path";
import { type AppId, appName } from "../model/app.ts";
import { logTopic } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { Problems } from "../model/problem.ts";
import { AppLogs, type AppLogsOptions } from "./appLogs.ts";
import type { Engine } from "./docker.ts";
import type { Log } from "./log.ts";
import { LogListeners } from "./logListeners.ts";
import { LogShelf } from "./logShelf.ts";
import type { Uplink } from "./uplink.ts";

export interface LogServicesOptions {
  /** The agent's home. */
  readonly home: string;
  readonly serial: string;
  readonly engine: Engine;
  readonly uplink: Uplink;
  readonly log: Log;
  readonly problems: Problems;
  readonly orderOf: (app: AppId) => AppOrder | undefined;
  readonly now: () => number;
  readonly onPrinted: AppLogsOptions["onPrinted"];
}

export interface LogServices {
  readonly logs: AppLogs;
  readonly listeners: LogListeners;
  readonly shelf: LogShelf;
}

export function createLogServices(options: LogServicesOptions): LogServices {
  const { home, serial, engine, uplink, log, problems, orderOf, now, onPrinted } = options;
  const listeners = new LogListeners({
    onBlind: (error) => log.info({ error }, "the router does not tell who listens, so all output is published"),
  });
  const shelf = new LogShelf({ folder: join(home, "logs"), onProblem: (error) => problems.note("log_shelf", error) });
  const logs = new AppLogs({
    ...{ engine, orderOf, now, listeners, shelf, onPrinted, outlet: uplink },
    topicOf: (container) => logTopic(serial, container),
    send: (topic, message) => uplink.sendLog(topic, message),
    onProblem: (app, error) => log.warn({ app: appName(app), error }, "the output of an app cannot be read"),
  });
  return { logs, listeners, shelf };
}
