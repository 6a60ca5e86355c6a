/** What answers a studio's questions, put together from the engine, the logs and what is kept. */
import type { networkInterfaces } from "node:os";
import type { AppId } from "../model/app.ts";
import type { Device } from "../model/device.ts";
import { repositoryOf } from "../model/names.ts";
import type { AppOrder } from "../model/order.ts";
import type { DeviceStats } from "../model/wireReport.ts";
import type { Adoption } from "./adoption.ts";
import type { AppLogs } from "./appLogs.ts";
import { queryDeviceLog } from "./deviceLog.ts";
import type { Engine } from "./docker.ts";
import { ImagePruner } from "./imagePruner.ts";
import { LogQueries } from "./logQueries.ts";
import type { LogShelf } from "./logShelf.ts";
import { type Question, questions } from "./questions.ts";

export interface QuestionServicesOptions {
  readonly engine: Engine;
  readonly serial: string;
  readonly shelf: LogShelf;
  readonly logs: Pick<AppLogs, "wordsOf">;
  readonly adoption: Adoption;
  /** The agent's own log. */
  readonly logFile: string;
  readonly orders: () => readonly AppOrder[];
  readonly device: () => Device;
  readonly stats: () => DeviceStats;
  readonly now: () => number;
  readonly interfaces?: typeof networkInterfaces;
}

export interface QuestionServices {
  readonly logQueries: LogQueries;
  readonly questions: Readonly<Record<string, Question>>;
}

export function createQuestions(options: QuestionServicesOptions): QuestionServices {
  const { engine, serial, shelf, logs, adoption, logFile, orders, device, stats, now, interfaces } = options;
  const wordsOf = (app: AppId) => logs.wordsOf(app);
  const logQueries = new LogQueries({ engine, serial, shelf, adoption, orders, wordsOf, now });
  const repositories = () => {
    const { registryUrl: url, repository, machine } = device();
    return new Set(orders().map((order) => repositoryOf(order, { url, repository, machine })));
  };
  return {
    logQueries,
    questions: questions({
      ...{ now, logQueries, stats },
      deviceLog: (query) => queryDeviceLog(logFile, query, now()),
      images: () => engine.images(),
      pruner: new ImagePruner({ engine, repositories }),
      ...(interfaces && { interfaces }),
    }),
  };
}
