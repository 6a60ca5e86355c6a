/** Small images made on the spot: busybox and a script, from nothing. Nothing comes from a public registry. */
import { readFileSync } from "node:fs";
import { request } from "node:http";

export interface ImageRecipe {
  /** Name with tag: `127.0.0.1:5000/apps/prod_amd64_42_weather:1.0.0`. */
  readonly ref: string;
  /** What the container runs, in busybox' shell. */
  readonly script: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Instructions of a Dockerfile: `HEALTHCHECK --interval=1s CMD true`. */
  readonly instructions?: readonly string[];
  /** Bytes of noise in a layer, so that a download takes a while. */
  readonly padding?: number;
}

const BUSYBOX = "/bin/busybox";
const APPLETS = [
  "sh",
  "sleep",
  "echo",
  "cat",
  "date",
  "kill",
  "ls",
  "test",
  "wget",
  "yes",
  "head",
  "stty",
  "env",
  "id",
  "true",
];

/** Makes an image in the engine. @throws {Error} with the engine's sentence. */
export async function makeImage(socketPath: string, recipe: ImageRecipe): Promise<void> {
  const { repo, tag } = partsOf(recipe.ref);
  const changes = [
    `CMD ["/bin/sh","-c",${JSON.stringify(recipe.script)}]`,
    ...Object.entries(recipe.labels ?? {}).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`),
    ...(recipe.instructions ?? []),
  ];
  const query = new URLSearchParams({ fromSrc: "-", repo, tag });
  for (const change of changes) query.append("changes", change);
  const files = [entry("bin/busybox", readFileSync(BUSYBOX), 0o755)];
  for (const applet of APPLETS) files.push(link(`bin/${applet}`, "busybox"));
  if (recipe.padding) files.push(entry("padding", noise(recipe.padding), 0o644));
  const body = Buffer.concat([...files, Buffer.alloc(1_024)]);
  await post(socketPath, `/images/create?${query}`, { "content-type": "application/x-tar" }, body);
}

/** Pushes an image to the registry that its name says. @throws {Error} with the registry's sentence. */
export async function pushImage(socketPath: string, ref: string): Promise<void> {
  const { repo, tag } = partsOf(ref);
  const noLogin = Buffer.from("{}").toString("base64");
  await post(socketPath, `/images/${repo}/push?tag=${tag}`, { "x-registry-auth": noLogin });
}

function partsOf(ref: string): { repo: string; tag: string } {
  const at = ref.lastIndexOf(":");
  return { repo: ref.slice(0, at), tag: ref.slice(at + 1) };
}

/** A failure may come as a status, or as a line of an answer that began well. */
function post(socketPath: string, path: string, headers: Record<string, string>, body?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: "POST", path, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const isFine = answer.statusCode === 200 && !text.includes('"error"');
      if (isFine) resolve();
      else reject(new Error(`the engine answers ${answer.statusCode}: ${text.trim().split("\n").at(-1)}`));
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

/** Bytes that do not compress, the same ones each time. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = 0x9e3779b9;
  for (let at = 0; at + 4 <= size; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes.writeInt32LE(state | 0, at);
  }
  return bytes;
}

const entry = (name: string, content: Buffer, mode: number): Buffer => {
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header(name, content.length, mode, "0", ""), content, padding]);
};
const link = (name: string, target: string): Buffer => header(name, 0, 0o777, "2", target);

/** One block of a ustar archive (POSIX.1-1988). */
function header(name: string, size: number, mode: number, type: string, target: string): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(target, 157);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
