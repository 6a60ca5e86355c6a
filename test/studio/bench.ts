/** A studio in a folder of its own, and devices on it that are real sessions with the agent's own calls. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Device } from "../../src/model/device.ts";
import type { StudioEvent } from "../../src/model/studio.ts";
import { BackEnd } from "../../src/services/backEnd.ts";
import { PRESENCE, presence } from "../../src/services/procedures.ts";
import { type Dict, payload } from "../../src/services/wampEndpoint.ts";
import type { Session } from "../../src/services/wampSession.ts";
import type { Flock } from "../../src/studio/flock.ts";
import { type Studio, type StudioOptions, startStudio } from "../../src/studio/studio.ts";
import { dial } from "../support/link.ts";

const STATS = {
  ...{ cpu_count: 2, cpu_usage: 1.5, memory_total: 1, memory_used: 1, memory_available: 1, storage_total: 1 },
  ...{ storage_used: 1, storage_free: 1, docker_apps_total: 1, docker_apps_used: 1, docker_apps_free: 1 },
  docker_apps_mounted: false,
};

type EventOf<Type extends StudioEvent["type"]> = Extract<StudioEvent, { type: Type }>;

export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "studio-"));
  readonly events: StudioEvent[] = [];
  readonly #undo: (() => unknown)[] = [];

  async start(options: Partial<StudioOptions> = {}): Promise<Studio> {
    const onEvent = (event: StudioEvent) => this.events.push(event);
    const studio = await startStudio({ folder: this.folder, registryHost: "127.0.0.1:5000", onEvent, ...options });
    this.#undo.push(() => studio.stop());
    return studio;
  }

  all<Type extends StudioEvent["type"]>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  async dial(url: string, authid: string, secret: string, realm = "realm1"): Promise<Session> {
    const session = await dial(url, { realm, authid, readSecret: () => secret }).joined;
    this.#undo.push(() => session.close());
    return session;
  }

  /** Joined, with the calls of an agent, and nothing done yet. */
  join(flock: Flock) {
    return this.joinRealm("realm1", flock);
  }

  async joinRealm(realm: string, flock: Flock) {
    const {
      device_endpoint_url: url,
      swarm_key: swarmKey,
      device_key: deviceKey,
      secret,
      serial_number: serial,
    } = flock;
    const session = await this.dial(url, `${swarmKey}-${deviceKey}`, secret, realm);
    const device: Device = {
      ...{ serial, deviceKey, swarmKey, name: flock.name, endpointUrl: url, machine: "amd64", applianceDomain: "" },
      ...{ registryUrl: flock.docker_registry_url, repository: flock.docker_main_repository },
    };
    const machine = { os: "linux debian 12 6.1.0", arch: "amd64", variant: "" };
    const backEnd = new BackEnd({ session, device: () => device, agentVersion: "1", machine, stats: () => STATS });
    return { session, backEnd, device };
  }

  /** All that an agent does until it is online. It answers every request with `now`, and remembers it. */
  async online(flock: Flock) {
    const { session, backEnd, device } = await this.join(flock);
    const requests: Dict[] = [];
    const answer = { now: () => payload([], { outcome: "now", why: "RUNNING is taken up now" }) as unknown };
    const mine = (name: string) => `re.mgmt.${flock.serial_number}.${name}`;
    await session.register(mine(PRESENCE), presence, { force: false, patience: 0 });
    await backEnd.addTestament();
    await backEnd.status("CONFIGURING");
    await session.register(mine("request_app_state"), (_, kwargs) => {
      requests.push(kwargs);
      return answer.now();
    });
    await backEnd.architecture();
    await backEnd.status("CONNECTED");
    return { session, backEnd, device, requests, answer, mine };
  }

  async end(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
