/** Control overtakes logs; order holds within a lane; a producer is held back, and nothing grows without bound. */
import { expect, test } from "vitest";
import { LANES, Lanes } from "../../src/services/wampLanes.ts";
import { dial, startRouter } from "../support/link.ts";
import { slowLine } from "../support/slowLine.ts";

/** An outlet whose socket takes what it is told to. */
function outlet() {
  const written: string[] = [];
  const marks: number[] = [];
  const state = { buffered: 0 };
  const lanes = new Lanes({
    isOpen: () => true,
    buffered: () => state.buffered,
    write: (text) => {
      written.push(text);
      state.buffered += text.length;
    },
    mark: (position) => marks.push(position),
    now: () => performance.now(),
  });
  return {
    lanes,
    written,
    marks,
    flush: () => {
      state.buffered = 0;
      lanes.pump();
    },
  };
}
const kib = (letter: string, count = 32) => letter.repeat(count * 1_024);

test("while the socket is full nothing goes; then control, state, logs, each in its order", () => {
  const { lanes, written, marks, flush } = outlet();
  lanes.offer("logs", kib("0", 64));
  lanes.proven(marks[0] ?? 0);
  for (const lane of [...LANES].reverse()) for (const n of [1, 2]) lanes.offer(lane, `${lane} ${n}`);
  expect(written).toHaveLength(1);
  flush();
  expect(written.slice(1)).toEqual(["control 1", "control 2", "state 1", "state 2", "logs 1", "logs 2"]);
});

test("logs wait for the proof that the peer has read; state less long; control never", () => {
  const { lanes, written, marks, flush } = outlet();
  for (let n = 0; n < 8; n++) lanes.offer("logs", kib("l"));
  for (let n = 0; n < 8; n++) flush();
  expect(written).toHaveLength(2);
  for (let n = 0; n < 8; n++) lanes.offer("state", kib("s"));
  for (let n = 0; n < 8; n++) flush();
  expect(written).toHaveLength(4);
  lanes.offer("control", "now");
  expect(written.at(-1)).toBe("now");
  lanes.proven(marks.at(-1) ?? 0);
  for (let n = 0; n < 8; n++) flush();
  expect(written.slice(5).map(([letter]) => letter)).toEqual(["s", "s", "s", "s", "s", "s", "l"]);
});

test("the last message goes out also when the socket is full, alone, and nothing after it", () => {
  const { lanes, written, flush } = outlet();
  lanes.offer("logs", kib("l", 64));
  lanes.offer("state", "dropped");
  lanes.finish("goodbye");
  lanes.offer("control", "too late");
  flush();
  expect(written.slice(1)).toEqual(["goodbye"]);
});

test("a full lane refuses; room and drained tell; sealed, nothing is taken and nobody waits", async () => {
  const { lanes, flush } = outlet();
  for (let n = 0; n < 130; n++) lanes.offer("logs", kib("l"));
  expect(() => lanes.offer("logs", kib("l", 64))).toThrow(expect.objectContaining({ code: "lane_full" }));
  lanes.offer("control", "c");
  let isRoom = false;
  const room = lanes.room("logs").then(() => {
    isRoom = true;
  });
  const drained = lanes.drained("control", "state");
  flush();
  await drained;
  expect(isRoom).toBe(false);
  lanes.seal();
  await room;
  lanes.offer("logs", "x");
  expect(lanes.queued("logs")).toBe(0);
});

test("a flood of logs into a line of 1 MB/s: control answers overtake it, logs arrive whole and in order", {
  timeout: 30_000,
}, async () => {
  const router = await startRouter();
  const line = await slowLine(router.url, 1 << 20);
  const { joined, session, end } = dial(line.url, { pingEvery: 500, deadAfter: 2_000 });
  await joined;
  const got: number[] = [];
  const reader = dial(router.url, { authid: "dev2", readSecret: () => "s3cret2" });
  await (await reader.joined).subscribe("logs.x", (args) => got.push(Number(args[0])));
  let sent = 0;
  let isOn = true;
  const produce = (async () => {
    while (isOn) {
      for (let n = 0; n < 8; n++) session.publish("logs.x", [sent++, "l".repeat(8_000)]);
      await session.room("logs");
    }
  })();
  await expect.poll(() => got.length).toBeGreaterThan(0);
  for (let n = 0; n < 10; n++) {
    const waiting = sent - got.length;
    const before = got.length;
    await session.call("wamp.session.count");
    expect(got.length - before, `${waiting} messages wait in front of the call`).toBeLessThan(waiting);
  }
  isOn = false;
  await produce;
  await expect.poll(() => got.length, { timeout: 10_000 }).toBe(sent);
  expect(got).toEqual([...got].sort((a, b) => a - b));
  expect(session.isJoined).toBe(true);
  session.close();
  reader.session.close();
  await end;
  line.close();
  await router.close();
});
