/**
 * `npm start`: a device comes alive. An engine, a registry, a studio and the agent as a process of its own, and the story of
 * one app, told as it is seen. Everything is in one folder and is taken away at the end.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { AgentError } from "../model/errors.ts";
import { storageFailed } from "../model/storageFailed.ts";
import { type AgentProcess, startAgentProcess } from "./agentProcess.ts";
import { type DemoParts, startParts } from "./demoParts.ts";
import { type Happening, linesOf, WEATHER } from "./demoScript.ts";
import { demoSteps } from "./demoSteps.ts";
import { clearFolder, ownerIn } from "./leftovers.ts";
import { type Line, narrate } from "./narrator.ts";
import { Story } from "./story.ts";
import { type Studio, startStudio } from "./studio.ts";
import { openStudioControl } from "./studioControl.ts";
import type { RouterChoice } from "./studioRouters.ts";

export interface DemoOptions {
  /** Holds all of it; made, and removed at the end. */
  readonly folder: string;
  /** What is run as the agent: cli.ts or the bundle. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends by itself after the story. */
  readonly once: boolean;
  /** Default is the embedded router. */
  readonly router?: RouterChoice;
  readonly isInColour: boolean;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** @returns the sentence of the step that was not seen; undefined if the whole story was. @throws what kept a part from starting. */
export async function runDemo(options: DemoOptions): Promise<string | undefined> {
  const { folder, env, once, router = { kind: "embedded" }, isInColour, print, signal, now } = options;
  const tell = (line: Omit<Line, "at">) => print(narrate({ at: now(), ...line }, isInColour));
  const say = (text: string) => tell({ who: "demo", says: text, tone: "plain" });
  await takeFolder(folder);
  let parts: DemoParts | undefined;
  let studio: Studio | undefined;
  let control: { close(): Promise<void> } | undefined;
  let agent: AgentProcess | undefined;
  try {
    const story = new Story<Happening>();
    const note = (happening: Happening) => {
      for (const line of linesOf(happening)) tell(line);
      story.note(happening);
    };
    parts = await startParts({ folder, env, ...WEATHER, say });
    signal.throwIfAborted();
    const { registry } = parts;
    const openStudio = async () => {
      studio = await startStudio({
        folder: join(folder, "studio"),
        registryHost: registry,
        onEvent: (event) => note({ from: "studio", event }),
        router,
      });
      control = await openStudioControl(studio);
      return studio;
    };
    const closeStudio = async () => {
      await control?.close();
      await studio?.stop();
    };
    if (router.kind !== "embedded") say(`the router is ${router.kind === "url" ? router.url : router.kind}`);
    const { url, addDevice, addApp } = await openStudio();
    if (router.kind !== "url") say(`the studio's router listens on ${url}`);
    const home = join(folder, "agent");
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const flock = join(home, "press-01.flock");
    writeFileSync(flock, `${JSON.stringify(addDevice({ name: "press-01" }), null, 2)}\n`, { mode: 0o600 });
    addApp(WEATHER.app);
    agent = startAgentProcess({
      entry: options.entry,
      args: ["-config", flock, "-agentDir", home, "-debug"],
      env: {
        ...env,
        REAGENT_LOCK_MACHINE: "off",
        REAGENT_DOCKER_SOCKET: parts.socket,
        REAGENT_UPDATE_PROBATION: "3",
      },
      pidFile: join(folder, "agent.pid"),
      onLine: (line) => note({ from: "agent", line }),
      onExit: (code) => note({ from: "agent", line: { msg: `the agent ended with code ${code}` } }),
    });
    say(`the agent is process ${agent.pid}; its home is ${home}`);
    const missing = await story.play(
      demoSteps({
        want: async (target, version) => studio?.desire(WEATHER.app.name, target, version),
        closeRouter: router.kind === "url" ? undefined : closeStudio,
        sendAway: async () => studio?.sendAway("press-01"),
        openRouter: async () => {
          await openStudio();
        },
        socket: parts.socket,
        once,
      }),
      ({ says }) => tell({ who: "demo", says, tone: "step" }),
      signal,
    );
    if (missing) return missing.says;
    if (once) return undefined;
    for (const line of hints(folder)) print(line);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    return undefined;
  } finally {
    if (once || signal.aborted) say("taking everything away again");
    await agent?.stop();
    await control?.close();
    await studio?.stop();
    await parts?.stop();
    await clearFolder(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Empties the folder of what a demo before this one left, and says in it who has it now.
 *
 * @throws {AgentError} already_running, or storage_failed
 */
async function takeFolder(folder: string): Promise<void> {
  const owner = join(folder, "demo.pid");
  const pid = ownerIn(owner);
  if (pid !== undefined)
    throw new AgentError("already_running", `a demo runs here already, process ${pid}; end it first`);
  try {
    await clearFolder(folder);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(owner, String(process.pid));
  } catch (error) {
    throw storageFailed(error);
  }
}

function hints(folder: string): string[] {
  const home = relative(process.cwd(), join(folder, "agent"));
  return [
    "",
    "The app runs. In a second terminal, from here:",
    `  npm run -s reagent -- status -agentDir ${home}`,
    "  npm run -s reagent -- studio app stop weather",
    "  npm run -s reagent -- studio app run weather",
    `  npm run -s reagent -- runs weather -agentDir ${home}`,
    `  npm run -s reagent -- logs weather -f -agentDir ${home}`,
    "Ctrl-C takes everything away again.",
    "",
  ];
}
