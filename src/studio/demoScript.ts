/** The app of the demo, and how each thing that happens is told. */
import { architectureOf } from "../model/architecture.ts";
import { repositoryOf } from "../model/names.ts";
import type { LogLine, StudioEvent } from "../model/studio.ts";
import type { Line } from "./narrator.ts";

/** What the studio saw, or a line of the agent's log. */
export type Happening =
  | { readonly from: "studio"; readonly event: StudioEvent }
  | { readonly from: "agent"; readonly line: Readonly<Record<string, unknown>> };

const READS = 'n=0; while true; do n=$((n+1)); echo "reading $n"; sleep 5 & wait $!; done';

/**
 * The images are made on the spot. The first version prints, and the first time it crashes: what it leaves in `/data` outlives
 * the container, so the second run knows. The second version is no good, the third is.
 */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  "1.0.0": [
    "trap 'echo goodbye; exit 0' TERM",
    "echo 'hello from weather'",
    "if [ ! -e /data/was-here ]; then touch /data/was-here; sleep 2; echo 'about to crash'; exit 7; fi",
    READS,
  ],
  "1.1.0": ["echo 'a new version, and no good'", "exit 3"],
  "2.0.0": ["trap 'echo goodbye; exit 0' TERM", "echo 'hello from a better weather'", READS],
};

export const WEATHER = {
  app: { key: 42, name: "weather", versions: Object.keys(SCRIPTS) },
  first: "1.0.0",
  bad: "1.1.0",
  better: "2.0.0",
  container: "prod_42_weather",
  images: (registry: string) => {
    const names = { url: `${registry}/`, repository: "apps/", machine: machineName() };
    const repository = repositoryOf({ app: { stage: "PROD", key: 42 }, name: "weather" }, names);
    return Object.entries(SCRIPTS).map(([version, lines]) => ({
      ref: `${repository}:${version}`,
      script: lines.join("\n"),
    }));
  },
} as const;

function machineName(): string {
  const { name, variant } = architectureOf(process.arch);
  return `${name}${variant}`;
}

type Said = Omit<Line, "at">;

export function linesOf(happening: Happening): Said[] {
  return happening.from === "studio" ? studioLines(happening.event) : agentLines(happening.line);
}

/** Where the agent's machines went. */
export function transitionIn(line: Readonly<Record<string, unknown>>): { actor: string; to: string } | undefined {
  const { actor, to } = line;
  return typeof actor === "string" && typeof to === "string" ? { actor, to } : undefined;
}

function agentLines(line: Readonly<Record<string, unknown>>): Said[] {
  const went = transitionIn(line);
  if (went) return isTold(went.actor) ? [{ who: went.actor, says: went.to, tone: toneOf(went.to) }] : [];
  const level = Number(line["level"] ?? 50);
  return level >= 40 ? [{ who: "agent", says: String(line["msg"] ?? ""), tone: "bad" }] : [];
}

/** The story is about these; the rest is in the log. */
const isTold = (actor: string): boolean => actor === "connection" || actor === "engine" || actor.startsWith("app:");

function toneOf(state: string): Line["tone"] {
  if (/^(crashed|waiting|unsure\.unknown)/.test(state)) return "bad";
  return /(running\.|online$|live$|present$)/.test(state) ? "good" : "plain";
}

function studioLines(event: StudioEvent): Said[] {
  switch (event.type) {
    case "device.status": {
      const tone = event.status === "CONNECTED" ? "good" : "plain";
      return [{ who: "studio", says: `knows ${event.device.name} as ${event.status}`, tone }];
    }
    case "app.reported": {
      const { app_key: key, state } = event.report;
      return [{ who: "studio", says: `hears that app ${key} is ${state}`, tone: toneOfReport(state) }];
    }
    case "log":
      return event.lines.flatMap((line) => logLine(event.container, line));
    case "problem":
      return [{ who: "studio", says: `${event.about}: ${event.because}`, tone: "bad" }];
    default:
      return [];
  }
}

function toneOfReport(state: string): Line["tone"] {
  if (state === "FAILED") return "bad";
  return state === "RUNNING" ? "good" : "plain";
}

/** The engine's progress is for a page, not for a terminal. */
function logLine(who: string, line: LogLine): Said[] {
  if (line.is === "output" && line.text !== "") return [{ who, says: `| ${line.text}`, tone: "plain" }];
  return line.is === "agent" ? [{ who, says: line.text, tone: "plain" }] : [];
}
