/** An update's down time, fifty apps at once and from cold boot, each against the engine's own command line. */
import { goes, hears, isDevice, openStage, type Stage } from "../test/support/stage.ts";
import { type Figure, median } from "./figures.ts";
import { NODE_FLAGS, type Parts, timed } from "./parts.ts";

const IDLE = "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done";
/** What a container of the agent's is asked for, as flags. */
const RUN_FLAGS = [
  ...["-d", "-t", "--network", "bridge", "--add-host", "host.docker.internal:host-gateway", "--restart", "no"],
  ...["--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3"],
  ...["--security-opt", "no-new-privileges", "-v", "/tmp:/shared", "-v", "/tmp:/data"],
];

const open = (parts: Parts, env: Record<string, string> = {}) =>
  openStage({
    engineSocket: parts.socket,
    registry: parts.registry,
    nodeFlags: NODE_FLAGS,
    env: { ...parts.env, REAGENT_CONTAINERS_STOP_GRACE: "5", REAGENT_UPDATE_PROBATION: "1", ...env },
  });

/** From the end of the old container to the start of the new one, as the engine saw both, ms. */
export async function updateFigures(parts: Parts, runs: number, say: (text: string) => void): Promise<Figure[]> {
  await using s = await open(parts);
  const refs = [await s.publish("1.0.0", IDLE), await s.publish("2.0.0", IDLE)];
  for (const ref of refs) await s.engine.pull(ref, { signal: AbortSignal.timeout(60_000), onProgress: () => {} });
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("running", hears(s.key, "RUNNING"), () => s.want("RUNNING", "1.0.0"), 60_000);
  const docker = { DOCKER_HOST: `unix://${parts.socket}` };
  const ends = async (id: string) => Date.parse((await s.engine.container(id))?.State.FinishedAt ?? "");
  const begins = async (id: string) => Date.parse((await s.engine.container(id))?.State.StartedAt ?? "");
  const [agent, cli]: [number[], number[]] = [[], []];
  for (let run = 0; run <= runs; run++) {
    say(`update ${run}/${runs}`);
    const version = run % 2 === 0 ? "2.0.0" : "1.0.0";
    await s.see("on probation", goes(s.app, /probation$/), () => s.want("RUNNING", version), 60_000);
    const down = (await begins(s.container)) - (await ends(`${s.container}.previous`));
    await s.see("committed", hears(s.key, "RUNNING"), () => {}, 60_000);
    const [from = "", to = ""] = run % 2 === 0 ? refs : refs.toReversed();
    for (const ref of refs) await s.engine.pull(ref, { signal: AbortSignal.timeout(60_000), onProgress: () => {} });
    await timed("docker", ["run", "--name", "old", ...RUN_FLAGS, from], docker);
    const script = `docker stop -t 5 old && docker run --name new ${RUN_FLAGS.join(" ")} ${to}`;
    await timed("sh", ["-c", script], docker);
    const plain = (await begins("new")) - (await ends("old"));
    await timed("docker", ["rm", "-f", "old", "new"], docker);
    if (run === 0) continue;
    agent.push(down);
    cli.push(plain);
  }
  return [figureOf("down time of an update, image present", agent, "stop && run", cli, 1.2)];
}

/** Resolves when each of them was told to be so since the act; answers how long that took, ms. */
async function all(s: Stage, keys: readonly number[], state: string, act: () => unknown): Promise<number> {
  const left = new Set(keys);
  const begun = performance.now();
  const isSeen = (happening: Parameters<ReturnType<typeof hears>>[0]) => {
    for (const key of left) if (hears(key, state)(happening)) left.delete(key);
    return left.size === 0;
  };
  await s.see(`all of them are ${state}`, isSeen, act, 180_000);
  return performance.now() - begun;
}

export async function fleetFigures(
  parts: Parts,
  apps: number,
  runs: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  await using s = await open(parts);
  const keys: number[] = [];
  for (let n = 1; n <= apps; n++) {
    say(`image ${n} of ${apps}`);
    keys.push(await s.addLocal(n, IDLE));
  }
  let agent = s.startAgent();
  await s.see("connected", isDevice("CONNECTED"), () => {});
  const bring = (target: "RUNNING" | "PRESENT") =>
    all(s, keys, target, () => Promise.all(keys.map((key) => s.wantKey(key, target))));
  const sh = (script: string) => timed("sh", ["-c", script], { DOCKER_HOST: `unix://${parts.socket}` });
  const numbers = `printf '${keys.map((_, at) => at + 1).join("\\n")}' | xargs -P3 -I{}`;
  const run = `docker run --name fleet-{} ${RUN_FLAGS.join(" ")} ${s.localRef(1)} > /dev/null`;
  const killAll = () => sh("docker kill $(docker ps -q) > /dev/null");
  const values: Record<"asked" | "askedCli" | "boot" | "bootCli", number[]> = {
    asked: [],
    askedCli: [],
    boot: [],
    bootCli: [],
  };
  for (let round = 1; round <= runs; round++) {
    say(`${apps} apps at once and from cold boot, ${round}/${runs}`);
    values.asked.push(await bring("RUNNING"));
    await agent.kill();
    await killAll();
    values.boot.push(
      await all(s, keys, "RUNNING", () => {
        agent = s.startAgent();
      }),
    );
    await bring("PRESENT");
    say(`${apps} containers by the command line, ${round}/${runs}`);
    values.askedCli.push(await sh(`${numbers} ${run}`));
    await killAll();
    values.bootCli.push(await sh(`${numbers} docker start fleet-{} > /dev/null`));
    await sh("docker rm -f $(docker ps -aq) > /dev/null");
  }
  return [
    figureOf(`${apps} apps asked at once, to all RUNNING`, values.asked, "xargs -P3 run", values.askedCli, 1.1),
    figureOf(`${apps} apps from cold boot, to all RUNNING`, values.boot, "xargs -P3 start", values.bootCli, 1.2),
  ];
}

function figureOf(name: string, values: number[], beside: string, others: number[], most: number): Figure {
  return {
    ...{ name, unit: "ms", values, beside: { name: beside, values: others }, target: `ratio <= ${most}` },
    isReached: median(values) / median(others) <= most,
  };
}
