/** What the engine shows of one container, in the words of the model. */
import type { Container } from "../model/app.ts";
import { LABELS } from "../model/names.ts";
import { type AppOrder, revisionOf } from "../model/order.ts";
import type { ContainerInfo } from "./docker.ts";

/** @param adopted the order of a container that an original made: it is what is wanted, in the version of its image. */
export function containerOf({ Id, Config, State }: ContainerInfo, adopted?: AppOrder): Container {
  const labels = Config.Labels ?? {};
  const startedAt = Math.max(Date.parse(State.StartedAt) || 0, 0);
  const base = {
    id: Id,
    version: adopted ? tagOf(Config.Image) : (labels[LABELS.version] ?? ""),
    spec: adopted ? revisionOf(adopted) : (labels[LABELS.spec] ?? ""),
    startedAt,
  };
  if (State.Paused) return { ...base, is: "up", paused: true };
  if (State.Running) return { ...base, is: "up" };
  if (State.Status === "created") return { ...base, is: "made" };
  return { ...base, is: "down", exitCode: State.ExitCode };
}

/** `1.0.0` of `registry:5000/apps/weather:1.0.0`; nothing after the colon of a port. */
const tagOf = (image: string): string => /:([^:/]+)$/.exec(image)?.[1] ?? "latest";
