/**
 * The whole thing on real parts: the engine and registry of this run, a studio, and the agent as a process from the bundle.
 * Everything that happens is noted in order; a test waits for what it wants to see.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import type { Target } from "../../src/model/app.ts";
import { imageName } from "../../src/model/names.ts";
import { createEngine } from "../../src/services/docker.ts";
import { type AgentProcess, startAgentProcess } from "../../src/studio/agentProcess.ts";
import { makeImage, pushImage } from "../../src/studio/demoImage.ts";
import { type Happening, transitionIn } from "../../src/studio/demoScript.ts";
import { startStudio } from "../../src/studio/studio.ts";

let keys = 500;

export interface StageOptions {
  /** REAGENT_* of the agent. */
  readonly env?: Readonly<Record<string, string>>;
  /** The agent's engine; another one than that of this run, or a proxy to it. */
  readonly socketPath?: string;
  readonly flags?: readonly string[];
}

export async function startStage({ env = {}, socketPath = inject("socketPath"), flags = [] }: StageOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "rgs-"));
  const key = ++keys + (process.pid % 1_000) * 1_000;
  const happened: Happening[] = [];
  let since = 0;
  let onHappening: () => unknown = () => {};
  const note = (happening: Happening) => {
    happened.push(happening);
    onHappening();
  };
  const registry = inject("registry");
  const openStudio = () =>
    startStudio({
      folder: join(folder, "studio"),
      registryHost: registry,
      onEvent: (event) => note({ from: "studio", event }),
    });
  let studio = await openStudio();
  const flock = join(folder, "device.flock");
  const identity = studio.addDevice({ name: "press-01" });
  writeFileSync(flock, JSON.stringify(identity), { mode: 0o600 });
  studio.addApp({ key, name: "weather", versions: ["1.0.0", "2.0.0"] });
  const engine = createEngine({ socketPath: inject("socketPath") });
  const home = join(folder, "home");
  const agents: AgentProcess[] = [];

  function startAgent(): AgentProcess {
    const agent = startAgentProcess({
      entry: "dist/reagent.mjs",
      args: ["-config", flock, "-agentDir", home, "-debug", ...flags],
      env: { PATH: process.env["PATH"], REAGENT_LOCK_MACHINE: "off", REAGENT_DOCKER_SOCKET: socketPath, ...env },
      pidFile: join(folder, "agent.pid"),
      onLine: (line) => note({ from: "agent", line }),
      onExit: () => {},
    });
    agents.push(agent);
    return agent;
  }

  /** Waits for one event since the last act; fails with the sentence of what was not seen. An act begins a new count. */
  async function see(says: string, until: (happening: Happening) => boolean, act?: () => unknown, within = 20_000) {
    if (act) since = happened.length;
    await act?.();
    const isSeen = () => happened.slice(since).some(until);
    const found = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => found.reject(new Error(`not seen within ${within} ms: ${says}\n${tail(happened)}`)),
      within,
    );
    onHappening = () => isSeen() && found.resolve();
    onHappening();
    await found.promise.finally(() => clearTimeout(timer));
  }

  return {
    key,
    folder,
    flock,
    home,
    want: (target: Target, version = "1.0.0") => studio.desire(key, target, version),
    /** The studio with its router goes, and comes back at the same address. */
    closeRouter: () => studio.stop(),
    openRouter: async () => {
      studio = await openStudio();
    },
    engine,
    identity,
    happened,
    container: `prod_${key}_weather`,
    app: `app:PROD:${key}`,
    startAgent,
    see,
    /** States that the studio heard of the app, oldest first. */
    reports: () =>
      happened.flatMap((each) =>
        each.from === "studio" && each.event.type === "app.reported" && each.event.report.app_key === key
          ? [each.event.report.state]
          : [],
      ),
    /** Makes a version and puts it into the registry; it does not stay in the engine. */
    publish: async (version: string, script: string) => {
      const name = imageName({ app: { stage: "PROD", key }, name: "weather" }, "amd64");
      const ref = `${registry}/apps/${name}:${version}`;
      await makeImage(inject("socketPath"), { ref, script });
      await pushImage(inject("socketPath"), ref);
      await engine.removeImage(ref);
      return ref;
    },
    [Symbol.asyncDispose]: async () => {
      for (const agent of agents) await agent.stop();
      await studio.stop();
      for (const { Id } of await engine.containers([`io.reagent.serial=${identity.serial_number}`]))
        await engine.remove(Id);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Stage = Awaited<ReturnType<typeof startStage>>;

export const goes = (actor: string, state: RegExp) => (happening: Happening) => {
  const went = happening.from === "agent" ? transitionIn(happening.line) : undefined;
  return went?.actor === actor && state.test(went.to);
};
export const hears = (key: number, state: string) => (happening: Happening) =>
  happening.from === "studio" &&
  happening.event.type === "app.reported" &&
  happening.event.report.app_key === key &&
  happening.event.report.state === state;
export const reads = (words: string | RegExp) => (happening: Happening) =>
  happening.from === "studio" &&
  happening.event.type === "log" &&
  happening.event.lines.some(
    (line) => "text" in line && (typeof words === "string" ? line.text === words : words.test(line.text)),
  );
export const isDevice = (status: string) => (happening: Happening) =>
  happening.from === "studio" && happening.event.type === "device.status" && happening.event.status === status;

const tail = (happened: readonly Happening[]): string =>
  happened
    .slice(-25)
    .map((each) => JSON.stringify(each).slice(0, 300))
    .join("\n");
