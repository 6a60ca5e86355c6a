/** A request until RUNNING is reported, against `docker run -d`; a crash until FAILED is reported. */
import { hears, isDevice, openStage } from "../test/support/stage.ts";
import { type Figure, median } from "./figures.ts";
import { NODE_FLAGS, type Parts, timed } from "./parts.ts";

const IDLE = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";

/** What the agent asks for when it makes a container, as flags. */
function runFlags(folder: string): string[] {
  const env = [
    "DEVICE_SERIAL_NUMBER=x",
    "ENV=PROD",
    "DEVICE_KEY=1",
    "SWARM_KEY=1",
    "APP_KEY=1",
    "APP_NAME=weather",
    "DEVICE_NAME=press-01",
  ];
  const labels = ["real=True", "a=1", "b=2", "c=3", "d=4", "e=5", "f=6"];
  return [
    ...["-d", "-t", "--network", "bridge", "--add-host", "host.docker.internal:host-gateway", "--restart", "no"],
    ...["--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3"],
    ...["--security-opt", "no-new-privileges", "-v", `${folder}/shared:/shared`, "-v", `${folder}/data:/data`],
    ...env.flatMap((each) => ["-e", each]),
    ...labels.flatMap((each) => ["--label", each]),
  ];
}

export async function engineFigures(parts: Parts, runs: number, say: (text: string) => void): Promise<Figure[]> {
  await using s = await openStage({
    engineSocket: parts.socket,
    registry: parts.registry,
    nodeFlags: NODE_FLAGS,
    env: { ...parts.env, REAGENT_CONTAINERS_STOP_GRACE: "1", REAGENT_LOG_LEVEL: "info" },
    flags: ["-debug=false"],
  });
  const ref = await s.publish("1.0.0", IDLE);
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("present", hears(s.key, "PRESENT"), () => s.want("PRESENT"), 60_000);
  const docker = { DOCKER_HOST: `unix://${parts.socket}` };
  const [agent, cli, crash]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run <= runs; run++) {
    say(`request and crash ${run}/${runs}`);
    const begun = performance.now();
    await s.see("running", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
    const took = performance.now() - begun;
    const [container] = await s.engine.containers([`io.reagent.app-key=${s.key}`]);
    const id = container?.Id ?? "";
    // As a crash is: nobody asks the engine, the process is gone.
    const pid = (await s.engine.container(id))?.State.Pid ?? 0;
    await s.see("failed", hears(s.key, "FAILED"), () => process.kill(pid, "SIGKILL"));
    const heardAt = Date.now();
    const end = Date.parse((await s.engine.container(id))?.State.FinishedAt ?? "");
    await s.see("present again", hears(s.key, "PRESENT"), () => s.want("PRESENT"), 60_000);
    const plain = await timed("docker", ["run", "--name", `bench-${run}`, ...runFlags(parts.folder), ref], docker);
    await timed("docker", ["rm", "-f", `bench-${run}`], docker);
    // The first run of each warms caches of the engine up.
    if (run === 0) continue;
    agent.push(took);
    cli.push(plain);
    crash.push(heardAt - end);
  }
  return [
    {
      name: "request to RUNNING reported, image present",
      unit: "ms",
      values: agent,
      beside: { name: "docker run", values: cli },
      target: "ratio <= 1.0",
      isReached: median(agent) / median(cli) <= 1,
    },
    {
      name: "crash to FAILED reported",
      unit: "ms",
      values: crash,
      target: "median <= 100 ms",
      isReached: median(crash) <= 100,
    },
  ];
}
