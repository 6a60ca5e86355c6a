/** The story of the demo, step by step: what is done, and what has to be seen. */
import { type Happening, transitionIn, WEATHER } from "./demoScript.ts";
import { containersOf } from "./dockerd.ts";
import type { Step } from "./story.ts";

export interface DemoStepsOptions {
  readonly want: (target: "RUNNING" | "REMOVED", version: string) => Promise<unknown>;
  /** The studio with its router goes, as in a power cut of the site; and comes back at the same address. None: not ours. */
  readonly closeRouter: (() => Promise<void>) | undefined;
  /** The studio ends the device's session, which a router of somebody else can be asked for. */
  readonly sendAway: () => Promise<unknown>;
  readonly openRouter: () => Promise<void>;
  /** Socket of the engine, to see with one's own eyes that nothing is left. */
  readonly socket: string;
  readonly once: boolean;
}

const SOON = 15_000;
/** A download, or the start of a container on a busy machine. */
const LATER = 60_000;

const APP = `app:PROD:${WEATHER.app.key}`;
const goes = (actor: string, state: RegExp) => (happening: Happening) => {
  const went = happening.from === "agent" ? transitionIn(happening.line) : undefined;
  return went?.actor === actor && state.test(went.to);
};
const hears = (state: string) => (happening: Happening) =>
  happening.from === "studio" && happening.event.type === "app.reported" && happening.event.report.state === state;
const reads = (words: string) => (happening: Happening) =>
  happening.from === "studio" &&
  happening.event.type === "log" &&
  happening.event.lines.some((line) => line.is === "output" && line.text === words);
const comesTo = (status: string) => (happening: Happening) =>
  happening.from === "studio" && happening.event.type === "device.status" && happening.event.status === status;

function outage({ closeRouter, openRouter, sendAway }: DemoStepsOptions): Step<Happening>[] {
  const back = { until: goes("connection", /online$/), within: LATER };
  if (!closeRouter)
    return [
      { says: "the router sends the device away", act: sendAway, until: goes("connection", /^waiting/), within: SOON },
      { says: "the device is back, by itself", ...back },
    ];
  return [
    { says: "the router goes away", act: closeRouter, until: goes("connection", /^waiting/), within: SOON },
    { says: "the device dials, in vain, and will again", until: goes("connection", /^waiting/), within: SOON },
    { says: "the router is back, and so is the device", act: openRouter, ...back },
  ];
}

export function demoSteps(options: DemoStepsOptions): Step<Happening>[] {
  const { want, socket, once } = options;
  const isGone = async () => {
    const left = await containersOf(socket, WEATHER.container);
    if (left > 0) throw new Error(`${left} container(s) of the app are left in the engine`);
  };
  const steps: Step<Happening>[] = [
    { says: "the agent is challenged by the router", until: goes("connection", /challenged$/), within: SOON },
    { says: "it proves who it is", until: goes("connection", /authenticated/), within: SOON },
    {
      says: "the device is there: the studio knows it as CONNECTED",
      until: comesTo("CONNECTED"),
      within: SOON,
    },
    {
      says: "an app is asked for, and its image comes from the registry",
      act: () => want("RUNNING", WEATHER.first),
      until: goes(APP, /^pulling$/),
      within: SOON,
    },
    { says: "its container is made and runs", until: goes(APP, /^active\.running/), within: LATER },
    { says: "what it prints arrives in the studio", until: reads("hello from weather"), isBeside: true, within: SOON },
    { says: "it crashes, and the studio hears of it", until: hears("FAILED"), isBeside: true, within: SOON },
    { says: "it is restarted after a wait, by itself", until: hears("RUNNING"), within: LATER },
    ...outage(options),
    { says: "the app ran on meanwhile, and is told again", until: hears("RUNNING"), isBeside: true, within: SOON },
    {
      says: "a new version is asked for; the old one runs while it comes",
      act: () => want("RUNNING", WEATHER.bad),
      until: goes(APP, /updating\.pulling$/),
      within: SOON,
    },
    { says: "it is no good, so the old one comes back", until: goes(APP, /rollingBack$/), within: LATER },
    { says: "and runs as it did", until: goes(APP, /^active\.running/), within: LATER },
    {
      says: "a better version is asked for, and is on probation",
      act: () => want("RUNNING", WEATHER.better),
      until: goes(APP, /probation$/),
      within: LATER,
    },
    { says: "what it prints arrives", until: reads("hello from a better weather"), isBeside: true, within: SOON },
    {
      says: "it stays up, and the old version goes",
      until: goes(APP, /^active\.running/),
      isBeside: true,
      within: LATER,
    },
    { says: "the app is removed", act: () => want("REMOVED", WEATHER.better), until: hears("REMOVED"), within: LATER },
  ];
  const last: Step<Happening> = once
    ? { says: "nothing of it is left in the engine", act: isGone, within: SOON }
    : {
        says: "and it is installed again, to play with",
        act: () => want("RUNNING", WEATHER.better),
        until: hears("RUNNING"),
        within: LATER,
      };
  return [...steps, last];
}
