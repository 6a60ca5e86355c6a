/**
 * How long a control call takes while 4 MB/s of logs go into a slow line, with and without the two limits of the lanes.
 * node bench/lanes.ts [bytes per second of the line]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Lane, Lanes } from "../src/services/wampLanes.ts";
import { Socket } from "../src/services/wampSocket.ts";
import { dial, startRouter } from "../test/support/link.ts";
import { slowLine } from "../test/support/slowLine.ts";

const rate = Number(process.argv[2] ?? 1 << 20);
const { offer } = Lanes.prototype;
const { mark } = Socket.prototype;
const buffered = Object.getOwnPropertyDescriptor(Socket.prototype, "buffered") as PropertyDescriptor;

/** Takes limits away: without proofs everything counts as read, without a socket limit nothing ever waits. */
function loosen(how: "both limits" | "socket limit only" | "no limit"): void {
  let lanes: Lanes | undefined;
  Lanes.prototype.offer = function (lane: Lane, text: string) {
    lanes = this;
    offer.call(this, lane, text);
  };
  Socket.prototype.mark = how === "both limits" ? mark : (position) => lanes?.proven(position);
  Object.defineProperty(Socket.prototype, "buffered", how === "no limit" ? { get: () => 0 } : buffered);
}

for (const how of ["no limit", "socket limit only", "both limits"] as const) {
  loosen(how);
  const router = await startRouter();
  const line = await slowLine(router.url, rate);
  const { joined, session, end, facts } = dial(line.url, { requestWithin: 30_000 });
  await joined;
  let isOn = true;
  const produce = (async () => {
    while (isOn) {
      for (let n = 0; n < 8; n++) session.publish("logs.x", ["l".repeat(8_000)]);
      await Promise.all([sleep(16), how === "no limit" ? undefined : session.room("logs")]);
    }
  })().catch(() => {});
  await sleep(2_000);
  const times: number[] = [];
  const until = performance.now() + 8_000;
  while (performance.now() < until && session.isJoined) {
    const begun = performance.now();
    await session.call("wamp.session.count").catch(() => {});
    times.push(performance.now() - begun);
    await sleep(100);
  }
  isOn = false;
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.floor((times.length - 1) * part)] ?? -1);
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20);
  const lost = facts.find(({ type }) => type === "lost");
  console.log(
    `${how}: p50 ${at(0.5)} ms, max ${at(1)} ms of ${times.length} calls, RSS ${rss} MiB`,
    lost?.type === "lost" ? lost.cause.because : "link lives",
  );
  session.close();
  await Promise.all([end, produce]);
  line.close();
  await router.close();
}
