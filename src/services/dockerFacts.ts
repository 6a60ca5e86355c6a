/** What the engine shows of one container, in the words of the model. */
import type { Container } from "../model/app.ts";
import { LABELS } from "../model/names.ts";
import type { ContainerInfo } from "./docker.ts";

export function containerOf({ Id, Config, State }: ContainerInfo): Container {
  const labels = Config.Labels ?? {};
  const startedAt = Math.max(Date.parse(State.StartedAt) || 0, 0);
  const base = {
    id: Id,
    version: labels[LABELS.version] ?? "",
    spec: labels[LABELS.spec] ?? "",
    startedAt,
  };
  if (State.Paused) return { ...base, is: "up", paused: true };
  if (State.Running) return { ...base, is: "up" };
  if (State.Status === "created") return { ...base, is: "made" };
  return { ...base, is: "down", exitCode: State.ExitCode };
}
