/** How soon a device is served again after its line was cut or its router went, what a frozen router costs, and a quiet line. */
import { setTimeout as pause } from "node:timers/promises";
import { procedureName } from "../src/model/names.ts";
import { dial } from "../test/support/link.ts";
import { goes, isDevice, openStage, type Stage } from "../test/support/stage.ts";
import { type Figure, median, percentile } from "./figures.ts";
import { NODE_FLAGS, type Parts } from "./parts.ts";

/** ms until an operator's call is answered by the device. */
async function untilServed(s: Stage, begun: number): Promise<number> {
  const { authid, secret } = s.operator();
  for (;;) {
    const { joined, session, end } = dial(s.routerUrl(), { authid, readSecret: () => secret, requestWithin: 1_000 });
    try {
      await joined;
      for (;;) {
        const isServed = await session.call(procedureName(s.identity.serial_number, "device_handshake")).then(
          () => true,
          () => false,
        );
        if (isServed) return performance.now() - begun;
        if (!session.isJoined) break;
        await pause(2);
      }
    } catch {
      // The router is not there yet.
    } finally {
      session.close();
      await end;
    }
    await pause(5);
  }
}

export async function linkFigures(
  parts: Parts,
  runs: number,
  seconds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  await using s = await openStage({
    engineSocket: parts.socket,
    registry: parts.registry,
    nodeFlags: NODE_FLAGS,
    env: { ...parts.env },
  });
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  const online = () => s.see("online", goes("connection", /online$/), undefined, 60_000);
  /** A link that lived for long is proven: its loss begins a new outage. */
  const prove = () => pause(31_000);

  const cut: number[] = [];
  for (let run = 0; run < runs; run++) {
    say(`cut ${run + 1}/${runs}`);
    await prove();
    await s.see("lost", goes("connection", /^waiting/), () => {
      s.line.cut();
    });
    cut.push(await untilServed(s, performance.now()));
    await online();
  }

  const back: number[] = [];
  for (const away of [500, 2_000, 4_500])
    for (let run = 0; run < runs / 3; run++) {
      say(`router away for ${away} ms, ${run + 1}`);
      await prove();
      await s.see("lost", goes("connection", /^waiting/), () => s.closeRouter());
      await pause(away);
      const opening = s.openRouter();
      const begun = performance.now();
      await opening;
      back.push(await untilServed(s, begun));
      await online();
    }

  const noticed: number[] = [];
  for (let run = 0; run < 3; run++) {
    say(`frozen ${run + 1}/3`);
    const begun = performance.now();
    await s.see("lost", goes("connection", /^waiting/), () => s.line.freeze(), 30_000);
    noticed.push(performance.now() - begun);
    await s.see("online", goes("connection", /online$/), () => s.line.mend(), 60_000);
  }

  await pause(10_000);
  const before = s.line.bytes();
  for (let left = seconds; left > 0; left -= 5) {
    say(`a quiet line, ${left} s left`);
    await pause(Math.min(5, left) * 1_000);
  }
  const quiet = (s.line.bytes() - before) / seconds;
  const [p50, p90] = [percentile(back, 0.5), percentile(back, 0.9)];
  return [
    figure("line cut, router there, to commands served", "ms", cut, "median <= 300 ms", median(cut) <= 300),
    figure(
      `router back after 0.5, 2 or 4.5 s, to commands served (p50 ${p50.toFixed(0)}, p90 ${p90.toFixed(0)})`,
      "ms",
      back,
      "p50 <= 1 s, p90 <= 2 s",
      p50 <= 1_000 && p90 <= 2_000,
    ),
    figure("router frozen, to noticed", "ms", noticed, "<= 10 s", Math.max(...noticed) <= 10_000),
    figure(`bytes on a quiet line, both ways, over ${seconds} s`, "per s", [quiet], "<= 60", quiet <= 60),
  ];
}

const figure = (name: string, unit: string, values: readonly number[], target: string, isReached: boolean): Figure => ({
  name,
  unit,
  values,
  target,
  isReached,
});
