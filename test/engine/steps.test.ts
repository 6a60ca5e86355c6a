/** Each step of an app on a real Docker engine and a real registry. */
import { expect, test } from "vitest";
import { makeImage } from "../../src/studio/demoImage.ts";
import { FOREVER, startBench } from "./bench.ts";

test("from nothing to running and back to nothing, each step ends with a look", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  expect(await b.steps.look(b.input(), b.never)).toEqual({ images: [] });
  expect(await b.steps.pullImage(b.input(), b.never)).toEqual({ images: ["1.0.0"] });
  expect(await b.steps.createContainer(b.input(), b.never)).toMatchObject({
    images: ["1.0.0"],
    container: { version: "1.0.0", spec: b.input().spec, is: "made", startedAt: 0 },
  });
  const { container } = await b.steps.startContainer(b.input(), b.never);
  expect(container).toMatchObject({ is: "up" });
  expect(Math.abs((container?.startedAt ?? 0) - Date.now())).toBeLessThan(10_000);
  expect(await b.steps.stopContainer(b.input(), b.never)).toEqual({ images: ["1.0.0"] });
  expect(await b.steps.removeApp(b.input(), b.never)).toEqual({ images: [] });
  expect(b.said).toEqual([
    "LOGGER_CLEAR",
    "Initialising download for the app: weather...",
    "Succesfully installed the app: weather (Version: 1.0.0)",
    "Starting weather...",
    "Now running app weather (1.0.0)",
    "Received stop signal for weather",
    "Successfully stopped weather",
    "Starting removal process for weather...",
    "Successfully removed weather!",
  ]);
  expect(b.progress.map((line) => JSON.parse(line).status).join()).toMatch(/Pull complete|Already exists/);
});

test("each step may be repeated, and a stop of what is gone is fine", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  for (let count = 0; count < 2; count++) {
    await b.steps.pullImage(b.input(), b.never);
    await b.steps.createContainer(b.input(), b.never);
    await b.steps.startContainer(b.input(), b.never);
    await b.steps.startContainer(b.input(), b.never);
  }
  expect(await b.engine.containers([`io.reagent.serial=${b.device.serial}`])).toHaveLength(1);
  await b.steps.stopContainer(b.input(), b.never);
  await b.steps.stopContainer(b.input(), b.never);
  await b.steps.removeApp(b.input(), b.never);
  expect(await b.steps.removeApp(b.input(), b.never)).toEqual({ images: [] });
});

test.each([["a tag that does not exist", "9.9.9", "image_not_found"]])(
  "%s cannot be pulled",
  async (_, version, code) => {
    const b = startBench();
    await b.publish("1.0.0", FOREVER);
    await expect(b.steps.pullImage(b.input(version), b.never)).rejects.toMatchObject({ code });
  },
);

test("a repository that does not exist cannot be pulled", async () => {
  const b = startBench();
  await expect(b.steps.pullImage(b.input(), b.never)).rejects.toMatchObject({ code: "image_not_found" });
});

test("a registry that is not there is a failure that may pass", async () => {
  const b = startBench();
  Object.assign(b.device, { registryUrl: "127.0.0.1:1/" });
  await expect(b.steps.pullImage(b.input(), b.never)).rejects.toMatchObject({
    code: "image_pull_failed",
    retry: "with backoff",
  });
});

test("a download that is called off ends at once and leaves nothing", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER, { padding: 30_000_000 });
  const off = new AbortController();
  const pulled = b.steps.pullImage(b.input(), off.signal);
  const refused = expect(pulled).rejects.toBe("called off");
  await expect.poll(() => b.progress.length, { interval: 5 }).toBeGreaterThan(1);
  off.abort("called off");
  await refused;
  expect(await b.steps.look(b.input(), b.never)).toEqual({ images: [] });
  expect(b.said.at(-1)).toBe("The app download was canceled");
});

test("two downloads of one image share it: calling one off leaves the other", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER, { padding: 30_000_000 });
  const ref = `${b.repository}:1.0.0`;
  const [one, other] = [new AbortController(), new AbortController()];
  let begun = 0;
  const onProgress = () => {
    begun++;
  };
  const first = b.engine.pull(ref, { signal: one.signal, onProgress });
  const second = b.engine.pull(ref, { signal: other.signal, onProgress });
  const refused = expect(first).rejects.toBe("called off");
  await expect.poll(() => begun, { interval: 5 }).toBeGreaterThan(2);
  one.abort("called off");
  await refused;
  await second;
  expect(await b.engine.image(ref)).toBeDefined();
  await b.engine.removeImage(ref);
});

test("an image that brings labels of ours is refused", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER, { labels: { "io.reagent.serial": b.device.serial } });
  await expect(b.steps.pullImage(b.input(), b.never)).rejects.toMatchObject({
    code: "image_refused",
    retry: "on request",
  });
});

test("a container that ends at once is a failed start with its exit code", async () => {
  const b = startBench();
  await b.publish("1.0.0", "exit 7");
  await b.steps.pullImage(b.input(), b.never);
  await b.steps.createContainer(b.input(), b.never);
  const started = await b.steps.startContainer(b.input(), b.never).catch((error: Error) => error.message);
  if (typeof started === "string") expect(started).toBe("the container ended by itself: exit code 7");
  else expect(started.container?.is).toBe("up");
});

test("a program that is not in the image is the image's fault, told with the engine's words", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  await b.steps.pullImage(b.input(), b.never);
  const id = await b.engine.create(b.name, {
    Image: `${b.repository}:1.0.0`,
    Cmd: ["/no/such/program"],
    Labels: {
      "io.reagent.serial": b.device.serial,
      "io.reagent.stage": "PROD",
      "io.reagent.app-key": String(b.app.key),
    },
  });
  await expect(b.steps.startContainer(b.input(), b.never)).rejects.toMatchObject({
    code: "bad_configuration",
    message: expect.stringContaining("/no/such/program"),
  });
  await b.engine.remove(id);
});

test("a container of another version stands in the way no longer than it takes to remove it", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  await b.publish("2.0.0", FOREVER);
  for (const version of ["1.0.0", "2.0.0"]) {
    await b.steps.pullImage(b.input(version), b.never);
    await b.steps.createContainer(b.input(version), b.never);
    await b.steps.startContainer(b.input(version), b.never);
  }
  const facts = await b.steps.look(b.input(), b.never);
  expect(facts.container).toMatchObject({ version: "2.0.0", is: "up" });
  expect(facts.images.toSorted()).toEqual(["1.0.0", "2.0.0"]);
  await b.steps.removeApp(b.input(), b.never);
});

test("somebody else's container with the name that is needed is left alone and said", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  await b.steps.pullImage(b.input(), b.never);
  const foreign = await b.engine.create(b.name, { Image: `${b.repository}:1.0.0` });
  await expect(b.steps.createContainer(b.input(), b.never)).rejects.toMatchObject({
    code: "container_name_taken",
    retry: "on request",
  });
  await b.steps.stopContainer(b.input(), b.never);
  expect(await b.engine.container(foreign)).toBeDefined();
  await b.engine.remove(foreign);
});

test("two agents on one engine do not touch each other's containers", async () => {
  const [a, b] = [startBench(), startBench()];
  for (const bench of [a, b]) {
    await bench.publish("1.0.0", FOREVER);
    await bench.steps.pullImage(bench.input(), bench.never);
    await bench.steps.createContainer(bench.input(), bench.never);
    await bench.steps.startContainer(bench.input(), bench.never);
  }
  await a.steps.removeApp(a.input(), a.never);
  expect((await b.steps.look(b.input(), b.never)).container?.is).toBe("up");
  await b.steps.removeApp(b.input(), b.never);
});

test("a container that is frozen by hand is resumed as it is", async () => {
  const b = startBench();
  await b.publish("1.0.0", FOREVER);
  await b.steps.pullImage(b.input(), b.never);
  await b.steps.createContainer(b.input(), b.never);
  const before = await b.steps.startContainer(b.input(), b.never);
  const { default: Docker } = await import("dockerode");
  await new Docker({ socketPath: b.socketPath }).getContainer(before.container?.id ?? "").pause();
  expect((await b.steps.look(b.input(), b.never)).container).toMatchObject({ is: "up", paused: true });
  expect(await b.steps.startContainer(b.input(), b.never)).toEqual(before);
  await b.steps.removeApp(b.input(), b.never);
});

test("the container is made as asked: labels, name, terminal, network, mounts, log rotation, environment", async () => {
  const b = startBench();
  await makeImage(b.socketPath, { ref: `${b.repository}:1.0.0`, script: FOREVER });
  const { container } = await b.steps.createContainer(b.input(), b.never);
  const info = await b.engine.container(container?.id ?? "");
  expect(info).toMatchObject({
    Name: `/${b.name}`,
    Config: {
      Tty: true,
      Labels: {
        real: "True",
        "io.reagent.agent": "reagent",
        "io.reagent.serial": b.device.serial,
        "io.reagent.stage": "PROD",
        "io.reagent.app-key": String(b.app.key),
        "io.reagent.version": "1.0.0",
        "io.reagent.spec": "1-weather",
      },
    },
    HostConfig: {
      Privileged: false,
      NetworkMode: "bridge",
      ExtraHosts: ["host.docker.internal:host-gateway"],
      RestartPolicy: { Name: "no" },
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  });
  expect(info?.Mounts.map(({ Destination }) => Destination).toSorted()).toEqual(["/data", "/shared"]);
  expect(info?.Config.Env.filter((each) => !each.startsWith("DEVICE_LAN_IP"))).toEqual([
    `DEVICE_SERIAL_NUMBER=${b.device.serial}`,
    "ENV=PROD",
    "DEVICE_KEY=31",
    "SWARM_KEY=2",
    `APP_KEY=${b.app.key}`,
    "APP_NAME=weather",
    "DEVICE_NAME=press-01",
    "DEVICE_ENDPOINT_URL=ws://host.docker.internal:8080/ws",
    "TUNNEL_DOMAIN=127.0.0.1",
  ]);
  await b.steps.removeApp(b.input(), b.never);
});
