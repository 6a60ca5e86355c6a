/**
 * The agent as a process, on a studio whose router is each of the three: what a device that is out of reach must get right
 * by itself. No engine is needed for it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { programOf } from "../../scripts/routers.mjs";
import { Status } from "../../src/model/status.ts";
import type { StudioEvent } from "../../src/model/studio.ts";
import { ask } from "../../src/services/controlClient.ts";
import { type AgentProcess, startAgentProcess } from "../../src/studio/agentProcess.ts";
import { transitionIn } from "../../src/studio/demoScript.ts";
import type { Flock } from "../../src/studio/flock.ts";
import { type Studio, startStudio } from "../../src/studio/studio.ts";
import type { RouterChoice } from "../../src/studio/studioRouters.ts";
import { dial, type Line } from "../support/link.ts";

const CHOICES: Readonly<Record<string, () => RouterChoice>> = {
  embedded: () => ({ kind: "embedded" }),
  nexus: () => ({ kind: "nexus", program: programOf("nexus") }),
  crossbar: () => ({ kind: "crossbar", program: programOf("crossbar") }),
};

type Seen = { readonly went: string } | { readonly status: string } | { readonly ended: number | null };

describe.each(Object.keys(CHOICES))("%s", (name) => {
  const folder = mkdtempSync(join(tmpdir(), "rgd-"));
  let studio: Studio;
  let devices = 0;
  let flock: Flock;
  let home = "";
  let agents: AgentProcess[] = [];
  let lines: Line[] = [];
  let seen: Seen[] = [];
  let onSeen = () => {};
  const note = (what: Seen) => {
    seen.push(what);
    onSeen();
  };

  const openStudio = () =>
    startStudio({
      folder: join(folder, "studio"),
      registryHost: "127.0.0.1:5000",
      router: CHOICES[name]?.() ?? { kind: "embedded" },
      onEvent: (event: StudioEvent) => event.type === "device.status" && note({ status: event.status }),
    });
  beforeAll(async () => {
    studio = await openStudio();
  });
  afterEach(async () => {
    for (const { session } of lines) session.close();
    for (const agent of agents) await agent.stop();
    [agents, lines, seen] = [[], [], []];
  });
  afterAll(async () => {
    await studio?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const path = () => `${home}.flock`;
  const put = (text: Flock) => writeFileSync(path(), JSON.stringify(text), { mode: 0o600 });
  function newDevice(): void {
    const device = `press-${++devices}`;
    flock = studio.addDevice({ name: device });
    home = join(folder, device);
    put(flock);
  }
  function startAgent(): AgentProcess {
    const agent = startAgentProcess({
      entry: "dist/reagent.mjs",
      args: ["-config", path(), "-agentDir", home, "-debug"],
      env: { PATH: process.env["PATH"], REAGENT_LOCK_MACHINE: "off", REAGENT_DOCKER_SOCKET: join(folder, "no-engine") },
      pidFile: `${home}.pid`,
      onLine: (line) => {
        const went = transitionIn(line);
        if (went?.actor === "connection") note({ went: went.to });
      },
      onExit: (code) => note({ ended: code }),
    });
    agents.push(agent);
    return agent;
  }
  /** Waits for something since the last act. */
  async function see(pattern: RegExp, act: () => unknown = () => {}): Promise<void> {
    const from = seen.length;
    const found = Promise.withResolvers<void>();
    onSeen = () => {
      if (seen.slice(from).some((each) => pattern.test(JSON.stringify(each)))) found.resolve();
    };
    await act();
    onSeen();
    await found.promise;
  }
  const online = (act?: () => unknown) => see(/"went":"linked\.authenticated\.online"/, act);
  const authid = () => `${flock.swarm_key}-${flock.device_key}`;
  const procedure = (of: string) => `re.mgmt.${flock.serial_number}.${of}`;
  function reach(as: string, secret: string): Line {
    const line = dial(studio.url, { authid: as, readSecret: () => secret });
    lines.push(line);
    return line;
  }
  const operator = () => reach(studio.operator.authid, studio.operator.secret).joined;
  const link = async () => Status.parse(await ask(join(home, "reagent.sock"), "status")).link;

  test("a router that is not there yet is dialled until it is", async () => {
    newDevice();
    await studio.stop();
    await see(/"went":"waiting/, () => startAgent());
    await see(/"went":"waiting/);
    expect(await link()).toMatchObject({ because: "ECONNREFUSED" });
    await online(async () => {
      studio = await openStudio();
    });
  });

  test("sent away five times in a row, it is back each time, with every procedure", async () => {
    newDevice();
    await online(() => startAgent());
    for (let time = 0; time < 5; time++) await online(() => studio.sendAway(flock.name));
    const session = await operator();
    for (const each of ["wamp_connection_established", "device_handshake", "get_agent_metadata"])
      expect(await session.call(procedure(each)), each).toBeDefined();
    const { kwargs } = await session.call(procedure("device_handshake"));
    expect(kwargs).toMatchObject({ id: flock.serial_number });
  });

  test("kill -9: its last will says DISCONNECTED; started again it is CONNECTED", async () => {
    newDevice();
    let agent: AgentProcess | undefined;
    await see(/"status":"CONNECTED"/, () => {
      agent = startAgent();
    });
    await see(/"status":"DISCONNECTED"/, () => agent?.kill());
    await see(/"status":"CONNECTED"/, () => startAgent());
  });

  test("a goodbye says DISCONNECTED too", async () => {
    newDevice();
    let agent: AgentProcess | undefined;
    await see(/"status":"CONNECTED"/, () => {
      agent = startAgent();
    });
    await see(/"status":"DISCONNECTED"/, () => agent?.stop());
    expect(seen).toContainEqual({ ended: 0 });
  });

  test("a ghost holds its name: it waits, and has it when the ghost is gone", async () => {
    newDevice();
    const ghost = await reach(authid(), flock.secret).joined;
    await ghost.register(procedure("wamp_connection_established"), () => null, { force: false });
    await see(/"went":"linked\.authenticated\.haunted"/, () => startAgent());
    await online(() => ghost.close());
  });

  test("a wrong secret is rejected and told, and mended in the file it is online within 5 s", async () => {
    newDevice();
    put({ ...flock, secret: "wrong" });
    await see(/"went":"waiting\.rejected"/, () => startAgent());
    expect(await link()).toMatchObject({ says: "the router does not accept the device's identity" });
    const begun = performance.now();
    await online(() => put(flock));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test("one session at the router, however it got there", async () => {
    newDevice();
    await online(() => startAgent());
    await online(() => studio.sendAway(flock.name));
    const second = reach(authid(), flock.secret);
    const session = await second.joined;
    const taken = session.register(procedure("wamp_connection_established"), () => null, { force: false, patience: 0 });
    await expect(taken).rejects.toMatchObject({ uri: expect.stringMatching(/procedure_(already_)?exists/) });
    session.close();
    await second.end;
    expect((await (await operator()).call(procedure("device_handshake"))).kwargs).toMatchObject({
      id: flock.serial_number,
    });
    expect(readFileSync(path(), "utf8")).toBe(JSON.stringify(flock));
  });
});
