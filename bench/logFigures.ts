/** What arrives of a container that writes fast, what it costs, and what it does to everything else. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { follow } from "../src/services/logFollower.ts";
import { LogSieve } from "../src/services/logSieve.ts";
import { type Figure, percentile } from "./figures.ts";
import { atOnce, Counter, forEver, type LogStage, openLogStage, quietly, runs, steadily } from "./numberedLines.ts";
import { anonymous, cpuTime, elsewhere, type Parts } from "./parts.ts";

type Say = (text: string) => void;
const go = ({ s }: LogStage, name = "weather") => writeFileSync(join(s.home, "apps/prod", name, "go"), "");

export async function logFigures(parts: Parts, isQuick: boolean, say: Say): Promise<Figure[]> {
  return [
    ...(await million(parts, isQuick ? 100_000 : 1_000_000, say)),
    await steady(parts, isQuick ? 5 : 60, say),
    await flooded(parts, isQuick ? 5 : 30, say),
    await tenFloods(parts, isQuick ? 10 : 60, say),
    await quiet(parts, isQuick ? 20 : 200, say),
  ];
}

async function million(parts: Parts, lines: number, say: Say): Promise<Figure[]> {
  await using stage = await openLogStage(parts);
  const { s, pid } = stage;
  await s.publish("1.0.0", atOnce(lines));
  const counter = new Counter();
  await stage.listen(s.container, counter.take);
  await runs(s, s.key, () => s.want("RUNNING"));
  say(`${lines} lines at once`);
  const [begun, cpu] = [performance.now(), cpuTime(pid)];
  go(stage);
  await counter.ended.promise;
  const [took, spent] = [(performance.now() - begun) / 1_000, (cpuTime(pid) - cpu) / 1_000];
  const kept = Number(
    execFileSync("sh", ["-c", `docker -H unix://${parts.socket} logs ${s.container} | grep -c '^0'`]),
  );
  const words = [
    `${((100 * counter.lines) / lines).toFixed(1)} % of ${lines} in ${took.toFixed(1)} s`,
    `${counter.wrong} twice or late; the engine keeps the last ${kept}, and the last ${counter.inARow} came without a gap`,
    `missing (told): ${counter.gaps.map(({ missing, told }) => `${missing} (${told})`).join(", ") || "none"}`,
  ].join(", ");
  await s.stopAgents();
  await s.engine.stop(s.container, 1);
  const [beside, drain] = [
    await dockersCpu(parts.socket, s.container),
    await draining(s.engine, parts.socket, s.container, kept),
  ];
  return [
    {
      ...{ name: `lines of a container that writes as fast as it can that arrive: ${words}`, unit: "lines" },
      ...{ values: [counter.lines], target: "all that the engine keeps, each once, the rest counted" },
      isReached: counter.wrong === 0 && counter.next === lines && counter.inARow >= kept && counter.gaps.every(isTold),
    },
    {
      ...{ name: "CPU of the agent for a million lines, live", unit: "s", values: [(spent * 1e6) / counter.lines] },
      beside: { name: "docker logs", values: [(beside * 1e6) / kept] },
      ...{ target: "<= 3", isReached: (spent / counter.lines) * (kept / beside) <= 3 },
    },
    drain,
  ];
}

/** The engine does not say how many it rotates away, so it is about so many. */
const isTold = ({ missing, told }: { missing: number; told: number }): boolean =>
  told > missing / 2 && told < missing * 2;

/** s of user and system time of `docker logs` on what is kept. */
async function dockersCpu(socket: string, container: string): Promise<number> {
  const script = `TIMEFORMAT='%U %S'; time docker -H unix://${socket} logs ${container} > /dev/null`;
  const child = spawn("bash", ["-c", script], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += String(chunk);
  });
  await once(child, "close");
  return text
    .trim()
    .split(" ")
    .map(Number)
    .reduce((sum, each) => sum + each, 0);
}

/** The reading of a whole file: stamps, lines, and which of them are new, against docker logs into a pipe. */
async function draining(
  engine: LogStage["s"]["engine"],
  socket: string,
  container: string,
  kept: number,
): Promise<Figure> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  const id = (await engine.container(container))?.Id ?? "";
  for (let n = 0; n < 5; n++) {
    const begun = performance.now();
    await follow({
      engine,
      id,
      sieve: new LogSieve({}, Date.now),
      signal: new AbortController().signal,
      now: Date.now,
      take: () => {},
    });
    ours.push(kept / (performance.now() - begun));
    const since = performance.now();
    const child = spawn("docker", ["-H", `unix://${socket}`, "logs", container], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.resume();
    await once(child, "close");
    theirs.push(kept / (performance.now() - since));
  }
  const ratio = percentile(ours, 0.5) / percentile(theirs, 0.5);
  return {
    ...{
      name: "draining the finished log of a container, twice as a container that ended needs",
      unit: "1,000 lines/s",
    },
    ...{ values: ours, beside: { name: "docker logs", values: theirs }, target: ">= 0.5", isReached: ratio >= 0.5 },
  };
}

async function steady(parts: Parts, seconds: number, say: Say): Promise<Figure> {
  await using stage = await openLogStage(parts);
  const { s } = stage;
  const lines = 20_000 * seconds;
  await s.publish("1.0.0", steadily(20_000, lines));
  const counter = new Counter();
  await stage.listen(s.container, counter.take);
  await runs(s, s.key, () => s.want("RUNNING"));
  say(`20,000 lines/s for ${seconds} s`);
  const begun = performance.now();
  go(stage);
  await counter.ended.promise;
  const lost = lines - counter.lines;
  const rate = counter.lines / ((performance.now() - begun) / 1_000);
  return {
    ...{
      name: `lines lost of ${counter.lines} at ${rate.toFixed(0)} lines/s (twice or late: ${counter.wrong})`,
      unit: "lines",
    },
    ...{ values: [lost], target: "0", isReached: lost === 0 && counter.wrong === 0 },
  };
}

async function flooded(parts: Parts, seconds: number, say: Say): Promise<Figure> {
  await using stage = await openLogStage(parts);
  const { s, session } = stage;
  await s.publish("1.0.0", forEver);
  await runs(s, s.key, () => s.want("RUNNING"));
  execFileSync("docker", ["-H", `unix://${parts.socket}`, "update", "--cpuset-cpus", "0", s.container]);
  go(stage);
  const shakes = async () => {
    await pause(2_000);
    const took: number[] = [];
    for (const begun = performance.now(); performance.now() - begun < seconds * 1_000; await pause(20)) {
      const asked = performance.now();
      await session.call(`re.mgmt.${s.identity.serial_number}.device_handshake`);
      took.push(performance.now() - asked);
      say(`${took.length} calls in a flood`);
    }
    return took;
  };
  const deaf = await elsewhere(shakes);
  const counter = new Counter();
  await stage.listen(s.container, counter.take);
  const took = await elsewhere(shakes);
  const rate = (counter.lines / (seconds + 2)).toFixed(0);
  const slowest = (all: readonly number[]) => percentile(all, 0.99);
  const here = slowest(await shakes()).toFixed(1);
  const beside = `while nobody listens ${slowest(deaf).toFixed(1)}; where router and caller wait for the device's cores too ${here}`;
  return {
    name: `device_handshake while a container floods at ${rate} lines/s (p99 ${slowest(took).toFixed(1)}; ${beside})`,
    ...{ unit: "ms", values: took, beside: { name: "deaf", values: deaf } },
    ...{ target: "p99 <= 30 ms", isReached: slowest(took) <= 30 },
  };
}

async function tenFloods(parts: Parts, seconds: number, say: Say): Promise<Figure> {
  await using stage = await openLogStage(parts, { bytesPerSecond: 1 << 20 });
  const { s, pid } = stage;
  for (let n = 1; n <= 10; n++) {
    const key = await s.addLocal(n, forEver);
    await stage.listen(`prod_${key}_local-${n}`, () => {});
    await runs(s, key, () => s.wantKey(key, "RUNNING"));
  }
  await pause(5_000);
  const before = anonymous(pid);
  for (let n = 1; n <= 10; n++) go(stage, `local-${n}`);
  const grown: number[] = [];
  for (let left = seconds; left > 0; left -= 2) {
    say(`ten floods on a line of 1 MiB/s, ${left} s left`);
    await pause(2_000);
    grown.push(anonymous(pid) - before);
  }
  const most = Math.max(...grown);
  const half = grown.length / 2;
  const isFlat = percentile(grown.slice(half), 0.5) - percentile(grown.slice(0, half), 0.5) < 3;
  return {
    ...{ name: "growth of anonymous memory while ten containers flood a line of 1 MiB/s", unit: "MB", values: grown },
    ...{ target: "<= 25 MB, flat", isReached: most <= 25 && isFlat },
  };
}

/** From the engine's stamp of a line to its arrival. */
async function quiet(parts: Parts, lines: number, say: Say): Promise<Figure> {
  await using stage = await openLogStage(parts);
  const { s } = stage;
  await s.publish("1.0.0", quietly(lines));
  const arrived: number[] = [];
  const ended = Promise.withResolvers<void>();
  await stage.listen(s.container, ([message]) => {
    for (const line of String(message).split("\n")) {
      if (/^\d{99}$/.test(line)) arrived[Number(line)] = Date.now();
      if (line === "end") ended.resolve();
    }
  });
  await runs(s, s.key, () => s.want("RUNNING"));
  say("a quiet container");
  go(stage);
  await ended.promise;
  const log = execFileSync("docker", ["-H", `unix://${parts.socket}`, "logs", "-t", s.container], { encoding: "utf8" });
  const took = [...log.matchAll(/^(\S+) (\d{99})\r?$/gm)].map(
    ([, stamp = "", n]) => (arrived[Number(n)] ?? Number.NaN) - Date.parse(stamp),
  );
  const p99 = percentile(took, 0.99);
  return {
    ...{
      name: `from a line's stamp to the subscriber, ten lines a second (p99 ${p99.toFixed(0)})`,
      unit: "ms",
      values: took,
    },
    ...{ target: "p99 <= 250 ms", isReached: p99 <= 250 },
  };
}
