/** What every test on the real engine starts from: a device, its steps, and images that are made on the spot. */

import { mkdtempSync } from "node:fs";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import type { AppId, StepInput } from "../../src/model/app.ts";
import type { Access, Device } from "../../src/model/device.ts";
import { repositoryOf } from "../../src/model/names.ts";
import { type AppOrder, desiredOf } from "../../src/model/order.ts";
import type { HostPorts } from "../../src/model/portRule.ts";
import { createSteps } from "../../src/services/appSteps.ts";
import { createEngine } from "../../src/services/docker.ts";
import { HostPortPool } from "../../src/services/hostPorts.ts";
import { PullQueue } from "../../src/services/pullQueue.ts";
import { makeImage, pushImage } from "../../src/studio/demoImage.ts";

let keys = 100;

/** A device of its own: its serial and its app are nobody else's. */
export function startBench({ access = "none" }: { access?: Access } = {}) {
  const socketPath = inject("socketPath");
  const key = ++keys + (process.pid % 1_000) * 1_000;
  const device: Device = {
    serial: `serial-${key}`,
    deviceKey: 31,
    swarmKey: 2,
    name: "press-01",
    endpointUrl: "ws://127.0.0.1:8080/ws",
    registryUrl: `${inject("registry")}/`,
    repository: "apps/",
    applianceDomain: "",
    machine: "amd64",
  };
  const app: AppId = { stage: "PROD", key };
  const order: AppOrder = {
    app,
    name: "weather",
    target: "RUNNING",
    version: "1.0.0",
    releaseKey: 11,
    requestor: 5,
    owner: 0,
  };
  const said: string[] = [];
  const progress: string[] = [];
  const engine = createEngine({ socketPath });
  let kept: HostPorts = {};
  const store = {
    portsOf: () => kept,
    keepPorts: (_: unknown, ports: HostPorts) => {
      kept = ports;
    },
    takenPorts: () => new Set<number>(),
  };
  const steps = createSteps({
    engine,
    ports: new HostPortPool(store),
    checkRoom: async () => {},
    pulls: new PullQueue(3),
    registryAuth: async () => undefined,
    credentialOf: () => ({}),
    release: () => {
      kept = {};
    },
    claimFolder: () => true,
    device: () => device,
    policy: { access, gpu: "auto", stopGrace: 1, appsDir: mkdtempSync(join(dirname(socketPath), "apps-")) },
    orderOf: ({ key: asked }) => (asked === key ? order : undefined),
    say: (_, text) => said.push(text),
    sayLast: (_, text) => said.push(text),
    keepLast: async () => {},
    onProgress: (_, line) => progress.push(line),
  });
  const repository = repositoryOf(order, { url: device.registryUrl, repository: device.repository, machine: "amd64" });
  const input = (version = "1.0.0"): StepInput => ({ app, version, spec: desiredOf(order).spec, mayReuse: false });
  const never = new AbortController().signal;
  return {
    app,
    device,
    engine,
    input,
    never,
    order,
    progress,
    repository,
    said,
    socketPath,
    steps,
    name: `prod_${key}_weather`,
    /** Makes a version and puts it into the registry; it does not stay in the engine. */
    publish: async (
      version: string,
      script: string,
      more: { labels?: Record<string, string>; padding?: number } = {},
    ) => {
      const ref = `${repository}:${version}`;
      await makeImage(socketPath, { ref, script, ...more });
      await pushImage(socketPath, ref);
      await engine.removeImage(ref);
    },
  };
}

export const FOREVER = "trap 'exit 0' TERM; echo hello; while true; do sleep 1; done";
