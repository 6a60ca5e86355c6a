/** What the engine shows of one container, in the words of the model. */
import { type Container, type Health, RESTARTS, type Restart } from "../model/app.ts";
import { LABELS, WISHES } from "../model/names.ts";
import { plainLine } from "../model/terminal.ts";
import type { Adopted } from "./adoption.ts";
import type { ContainerInfo } from "./docker.ts";

type Labels = Readonly<Record<string, string>>;

/** @param adopted what a container of an original is there for, which its labels do not say. */
export function containerOf({ Id, Image, Config, State }: ContainerInfo, adopted?: Adopted): Container {
  const labels = Config.Labels ?? {};
  const startedAt = Math.max(Date.parse(State.StartedAt) || 0, 0);
  const base = {
    id: Id,
    version: adopted?.version ?? labels[LABELS.version] ?? "",
    spec: adopted?.spec ?? labels[LABELS.spec] ?? "",
    startedAt,
    ...(Image && { image: Image }),
    ...restartIn(labels),
    ...(labels[WISHES.wayBack] === "off" && { isOneWay: true }),
  };
  if (State.Paused) return { ...base, is: "up", paused: true };
  if (State.Running) return { ...base, ...healthIn(State, labels), is: "up" };
  if (State.Status === "created") return { ...base, is: "made" };
  const endedAt = Date.parse(State.FinishedAt);
  const end = { exitCode: State.ExitCode, ...(endedAt > 0 && { endedAt }) };
  return { ...base, is: "down", ...end, ...(State.OOMKilled && { isOutOfMemory: true }) };
}

/** Seconds that an image, or its label, gives its containers to end; undefined where neither says. */
export function graceOf({
  Labels,
  StopTimeout,
}: ContainerInfo["Config"] & { StopTimeout?: number }): number | undefined {
  const wished = Number(Labels?.[WISHES.stopGrace] ?? Number.NaN);
  if (Number.isInteger(wished) && wished >= 0 && wished <= LONGEST_GRACE) return wished;
  return StopTimeout === undefined || StopTimeout < 0 ? undefined : Math.min(StopTimeout, LONGEST_GRACE);
}

/** Longer than this no stop of a device waits. */
const LONGEST_GRACE = 600;
const LONGEST_WORDS = 300;

const isRestart = (word: string | undefined): word is Restart => RESTARTS.includes(word as Restart);

function restartIn(labels: Labels): Pick<Container, "restart"> {
  const wish = labels[WISHES.restart];
  return isRestart(wish) && wish !== "always" ? { restart: wish } : {};
}

const HEALTHS: readonly string[] = ["starting", "healthy", "unhealthy"] satisfies Health[];

function healthIn({ Health }: ContainerInfo["State"], labels: Labels): Pick<Container, "health" | "healthSays"> {
  if (!Health || !HEALTHS.includes(Health.Status) || labels[WISHES.health] === "off") return {};
  const last = Health.Status === "unhealthy" ? Health.Log?.at(-1) : undefined;
  const says = last && plainLine(`exit code ${last.ExitCode}: ${last.Output.trim()}`, LONGEST_WORDS);
  return { health: Health.Status as Health, ...(says && { healthSays: says }) };
}
