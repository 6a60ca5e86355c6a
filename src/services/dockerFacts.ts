/** What the engine shows of one container, in the words of the model. */
import type { Container } from "../model/app.ts";
import { LABELS } from "../model/names.ts";
import type { Adopted } from "./adoption.ts";
import type { ContainerInfo } from "./docker.ts";

/** @param adopted what a container of an original is there for, which its labels do not say. */
export function containerOf({ Id, Config, State }: ContainerInfo, adopted?: Adopted): Container {
  const labels = Config.Labels ?? {};
  const startedAt = Math.max(Date.parse(State.StartedAt) || 0, 0);
  const base = {
    id: Id,
    version: adopted?.version ?? labels[LABELS.version] ?? "",
    spec: adopted?.spec ?? labels[LABELS.spec] ?? "",
    startedAt,
  };
  if (State.Paused) return { ...base, is: "up", paused: true };
  if (State.Running) return { ...base, is: "up" };
  if (State.Status === "created") return { ...base, is: "made" };
  return { ...base, is: "down", exitCode: State.ExitCode };
}
