/**
 * The whole thing on real parts: the engine and registry of this run, a studio, and the agent as a process from the bundle.
 * Everything that happens is noted in order; a test waits for what it wants to see.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Target } from "../../src/model/app.ts";
import { imageName } from "../../src/model/names.ts";
import { createEngine } from "../../src/services/docker.ts";
import { type AgentProcess, startAgentProcess } from "../../src/studio/agentProcess.ts";
import { type ImageRecipe, makeImage, pushImage } from "../../src/studio/demoImage.ts";
import { type Happening, transitionIn } from "../../src/studio/demoScript.ts";
import { startStudio } from "../../src/studio/studio.ts";
import type { RouterChoice } from "../../src/studio/studioRouters.ts";
import { EngineProxy } from "./engineProxy.ts";
import { LineProxy } from "./lineProxy.ts";
import { dial } from "./link.ts";
import { slowLine } from "./slowLine.ts";

let keys = 500;

export interface StageOptions {
  /** Socket of the real engine. */
  readonly engineSocket: string;
  /** `127.0.0.1:<port>` */
  readonly registry: string;
  /** REAGENT_* of the agent. */
  readonly env?: Readonly<Record<string, string>>;
  /** True: the agent talks to the engine through a proxy that writes down and does harm. */
  readonly isProxied?: boolean;
  /** What the agent takes for the engine, if it is neither. */
  readonly socketPath?: string;
  readonly flags?: readonly string[];
  /** The agent's home, if it shall not be in the stage's own folder. */
  readonly home?: string;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** Default is the embedded one. */
  readonly router?: RouterChoice;
  /** False: the studio itself listens to no log. */
  readonly logs?: boolean;
  /** What the line to the router takes of what the agent says. Default is all of it. */
  readonly bytesPerSecond?: number;
}

export async function openStage(options: StageOptions) {
  const { engineSocket, registry, env = {}, flags = [], nodeFlags = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), "rgs-"));
  const proxy = new EngineProxy(join(folder, "engine.sock"), engineSocket);
  if (options.isProxied) await proxy.listen();
  const socketPath = options.socketPath ?? (options.isProxied ? proxy.path : engineSocket);
  const key = ++keys + (process.pid % 1_000) * 1_000;
  const happened: Happening[] = [];
  let since = 0;
  let onHappening: () => unknown = () => {};
  const note = (happening: Happening) => {
    happened.push(happening);
    onHappening();
  };
  const openStudio = () =>
    startStudio({
      folder: join(folder, "studio"),
      registryHost: registry,
      ...(options.router && { router: options.router }),
      logs: options.logs ?? true,
      onEvent: (event) => note({ from: "studio", event }),
    });
  let studio = await openStudio();
  const flock = join(folder, "device.flock");
  const identity = studio.addDevice({ name: "press-01" });
  const line = new LineProxy(() => Number(new URL(studio.url).port));
  const fast = `ws://127.0.0.1:${await line.listen()}/`;
  const slow = options.bytesPerSecond === undefined ? undefined : await slowLine(fast, options.bytesPerSecond);
  const url = slow?.url ?? fast;
  writeFileSync(flock, JSON.stringify({ ...identity, device_endpoint_url: url }), { mode: 0o600 });
  studio.addApp({ key, name: "weather", versions: ["1.0.0", "2.0.0"] });
  const engine = createEngine({ socketPath: engineSocket });
  const home = options.home ?? join(folder, "home");
  const agents: AgentProcess[] = [];

  function startAgent(more: Readonly<Record<string, string>> = {}): AgentProcess {
    const agent = startAgentProcess({
      entry: "dist/reagent.mjs",
      nodeFlags,
      args: ["-config", flock, "-agentDir", home, "-debug", ...flags],
      env: {
        PATH: process.env["PATH"],
        REAGENT_LOCK_MACHINE: "off",
        REAGENT_DOCKER_SOCKET: socketPath,
        ...env,
        ...more,
      },
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

  /** Calls a procedure of the agent as an operator does. */
  async function ask(name: string, args: unknown[], kwargs?: Readonly<Record<string, unknown>>) {
    const { authid, secret } = studio.operator;
    const line = dial(studio.url, { authid, readSecret: () => secret });
    const session = await line.joined;
    try {
      return await session.call(`re.mgmt.${identity.serial_number}.${name}`, args, kwargs);
    } finally {
      session.close();
      await line.end;
    }
  }

  function localApp(n: number) {
    const [other, name] = [key + n * 1_000_000, `local-${n}`];
    const image = imageName({ app: { stage: "PROD", key: other }, name }, "amd64");
    return { key: other, name, ref: `${registry}/apps/${image}:1.0.0` };
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
    line,
    routerUrl: () => studio.url,
    operator: () => studio.operator,
    engine,
    engineSocket,
    proxy,
    identity,
    happened,
    container: `prod_${key}_weather`,
    app: `app:PROD:${key}`,
    startAgent,
    stopAgents: async () => {
      for (const agent of agents) await agent.stop();
    },
    see,
    ask,
    /** Asks for a state as an operator does, where the studio has no button. */
    request: async (kwargs: Readonly<Record<string, unknown>>) => {
      const { kwargs: answer } = await ask("request_app_state", [], {
        ...{ app_key: key, app_name: "weather", stage: "PROD", current_state: "PRESENT", requestor_account_key: 5 },
        ...kwargs,
      });
      return answer as { readonly outcome: string; readonly why: string };
    },
    /** Reports with release key and the end of an update, oldest first: `RUNNING 2 completed`. */
    said: () =>
      happened.flatMap((each) => {
        if (each.from !== "studio" || each.event.type !== "app.reported" || each.event.report.app_key !== key)
          return [];
        const { state, release_key: release, updateStatus } = each.event.report;
        return [[state, release, updateStatus].filter((word) => word !== "").join(" ")];
      }),
    /** States that the studio heard of the app, oldest first. */
    reports: () =>
      happened.flatMap((each) =>
        each.from === "studio" && each.event.type === "app.reported" && each.event.report.app_key === key
          ? [each.event.report.state]
          : [],
      ),
    repository: `${registry}/apps/${imageName({ app: { stage: "PROD", key }, name: "weather" }, "amd64")}`,
    /** One more version that the studio knows. */
    addVersion: (version: string) => studio.addApp({ key, name: "weather", versions: ["1.0.0", "2.0.0", version] }),
    /** Makes a version and puts it into the registry; it does not stay in the engine. */
    publish: async (
      version: string,
      script: string,
      more: Pick<ImageRecipe, "labels" | "instructions" | "padding"> = {},
    ) => {
      const name = imageName({ app: { stage: "PROD", key }, name: "weather" }, "amd64");
      const ref = `${registry}/apps/${name}:${version}`;
      await makeImage(engineSocket, { ref, script, ...more });
      await pushImage(engineSocket, ref);
      await engine.removeImage(ref);
      return ref;
    },
    /** The studio wants nothing more of these apps on the device, or of any, as if they had never been asked for. */
    forgetWishes: async (...keys: readonly number[]) => {
      await studio.stop();
      const database = new DatabaseSync(join(folder, "studio", "studio.db"));
      if (keys.length === 0) database.exec("DELETE FROM desired");
      for (const each of keys) database.prepare("DELETE FROM desired WHERE app_key = ?").run(each);
      database.close();
      studio = await openStudio();
    },
    /** One more app whose image is here, without a download. Answers its key. */
    addLocal: async (n: number, script: string) => {
      const { key: other, name, ref } = localApp(n);
      await makeImage(engineSocket, { ref, script });
      studio.addApp({ key: other, name, versions: ["1.0.0"] });
      return other;
    },
    localRef: (n: number) => localApp(n).ref,
    wantKey: (other: number, target: Target) => studio.desire(other, target, "1.0.0"),
    /** One more app that runs. */
    another: async (n: number, script: string) => {
      const [other, name] = [key + n * 1_000_000, `weather-${n}`];
      const image = imageName({ app: { stage: "PROD", key: other }, name }, "amd64");
      const ref = `${registry}/apps/${image}:1.0.0`;
      await makeImage(engineSocket, { ref, script });
      await pushImage(engineSocket, ref);
      studio.addApp({ key: other, name, versions: ["1.0.0"] });
      await see(`app ${n} runs`, hears(other, "RUNNING"), () => studio.desire(other, "RUNNING", "1.0.0"), 60_000);
    },
    [Symbol.asyncDispose]: async () => {
      for (const agent of agents) await agent.stop();
      proxy.close();
      line.close();
      slow?.close();
      await studio.stop();
      for (const { Id } of await engine.containers([`io.reagent.serial=${identity.serial_number}`]))
        await engine.remove(Id);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

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
