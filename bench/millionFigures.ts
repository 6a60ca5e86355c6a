/** A million messages through one session, in a process of its own: what stays in its memory. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { startRouter } from "../test/support/link.ts";
import type { Figure } from "./figures.ts";
import { anonymous, NODE_FLAGS, type Parts } from "./parts.ts";

/** The memory of a process goes up and down by as much by itself, MB. */
const NOISE = 4;

export async function millionFigures(parts: Parts, messages: number, say: (text: string) => void): Promise<Figure[]> {
  const router = await startRouter();
  const args = [...NODE_FLAGS, "bench/talker.ts", router.url, String(messages)];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...parts.env },
  });
  const seen: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    seen.push(anonymous(child.pid ?? 0));
    say(`${line} messages, ${seen.at(-1)} MB`);
  }
  await router.close();
  // The first tenth warms up: code is compiled, buffers get their size.
  const warm = seen[0] ?? 0;
  const grown = (seen.at(-1) ?? 0) - warm;
  return [
    {
      name: `growth of anonymous memory over ${messages} messages (${warm.toFixed(1)} MB after the first tenth)`,
      unit: "MB",
      values: [grown],
      target: `within noise (${NOISE} MB)`,
      isReached: grown <= NOISE,
    },
  ];
}
