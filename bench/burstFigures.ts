/** A thousand requests on one app in a burst, on a disk that is quick and on one that needs 200 ms for each write. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dial } from "../test/support/link.ts";
import { hears, isDevice, openStage } from "../test/support/stage.ts";
import { type Figure, percentile } from "./figures.ts";
import { NODE_FLAGS, type Parts } from "./parts.ts";

/** Loaded into the agent before anything else: a commit is as slow as the disk that is played. */
const SLOW = `
import { DatabaseSync, StatementSync } from "node:sqlite";
const hold = new Int32Array(new SharedArrayBuffer(4));
const slow = () => Atomics.wait(hold, 0, 0, Number(process.env.BENCH_FSYNC));
// The journal is not waited for at each commit, so it is as quick as ever.
const isDurable = (database) => database.location().endsWith("agent.db");
let isInTransaction = false;
const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  if (/^(BEGIN|COMMIT|ROLLBACK)$/.test(sql)) isInTransaction = sql === "BEGIN";
  if (sql === "COMMIT" && isDurable(this)) slow();
  return exec.call(this, sql);
};
const { run } = StatementSync.prototype;
StatementSync.prototype.run = function (...values) {
  const result = run.apply(this, values);
  if (!isInTransaction && result.changes > 0 && !this.sourceSQL.includes(" runs ")) slow();
  return result;
};
`;

export async function burstFigures(parts: Parts, count: number, say: (text: string) => void): Promise<Figure[]> {
  const quick = await burst(parts, { count, fsync: 0, isPipelined: true }, say);
  const slow = await burst(parts, { count: count / 10, fsync: 200, isPipelined: false }, say);
  const storm = await burst(parts, { count, fsync: 200, isPipelined: true }, say);
  const last = ({ isLast }: { isLast: boolean }) => (isLast ? "the last one held" : "the last one LOST");
  return [
    {
      name: `${count} requests on one app at once, ${last(quick)}: time per request, fsync of 0 ms`,
      unit: "ms",
      values: [quick.took / count],
      target: "<= 5 ms",
      isReached: quick.isLast && quick.took / count <= 5,
    },
    {
      name: `answer to another call while requests come as fast as they are answered, each fsync 200 ms longer, ${last(slow)}: p99`,
      unit: "ms",
      values: [percentile(slow.answers, 0.99)],
      target: "p99 <= 250 ms",
      isReached: slow.isLast && percentile(slow.answers, 0.99) <= 250,
    },
    {
      name: `the same, all ${count} requests sent at once and before it in the queue, ${last(storm)}: the longest`,
      unit: "ms",
      values: [percentile(storm.answers, 1)],
      target: "none",
      isReached: storm.isLast,
    },
  ];
}

interface Burst {
  readonly count: number;
  /** ms that each commit takes longer. */
  readonly fsync: number;
  /** All at once, else each after the answer to the one before. */
  readonly isPipelined: boolean;
}

async function burst(parts: Parts, { count, fsync, isPipelined }: Burst, say: (text: string) => void) {
  // In memory, where a write costs nothing.
  const folder = mkdtempSync("/dev/shm/rgb-");
  const preload = join(folder, "slow.mjs");
  writeFileSync(preload, SLOW);
  try {
    await using s = await openStage({
      engineSocket: parts.socket,
      registry: parts.registry,
      nodeFlags: [...NODE_FLAGS, ...(fsync > 0 ? ["--import", preload] : [])],
      home: join(folder, "home"),
      env: { ...parts.env, BENCH_FSYNC: String(fsync), REAGENT_CONTAINERS_STOP_GRACE: "1" },
      flags: ["-debug=false"],
    });
    await s.publish("1.0.0", "trap 'exit 0' TERM; while true; do sleep 3600 & wait $!; done");
    await s.see("connected", isDevice("CONNECTED"), () => s.startAgent(), 60_000);
    await s.see("present", hears(s.key, "PRESENT"), () => s.want("PRESENT"), 60_000);
    const { authid, secret } = s.operator();
    const line = dial(s.routerUrl(), { authid, readSecret: () => secret });
    const session = await line.joined;
    const named = (name: string) => `re.mgmt.${s.identity.serial_number}.${name}`;
    const ask = (target_state: string) =>
      session.call(named("request_app_state"), [], {
        ...{ app_key: s.key, app_name: "weather", stage: "PROD", current_state: "PRESENT", requestor_account_key: 5 },
        ...{ present_version: "1.0.0", target_state },
      });
    say(`${count} requests, fsync ${fsync} ms`);
    const answers: number[] = [];
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        const begun = performance.now();
        await session.call(named("device_handshake"), [], {});
        answers.push(performance.now() - begun);
      }
    })();
    const begun = performance.now();
    const targets = Array.from({ length: count }, (_, at) => (at % 2 === 0 ? "PRESENT" : "RUNNING"));
    if (isPipelined) await Promise.all(targets.map(ask));
    else for (const target of targets) await ask(target);
    const took = performance.now() - begun;
    isOver = true;
    await watching;
    await s.see("it runs in the end", hears(s.key, "RUNNING"), undefined, 60_000);
    await s.see("told once more", hears(s.key, "RUNNING"), () => ask("RUNNING"), 60_000);
    const isLast = (await s.engine.container(s.container))?.State.Running === true;
    session.close();
    await line.end;
    return { took, answers, isLast };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
