/** Goes once through what the libraries do in the bundle, and prints what came of it as one line of JSON. Run from the built file. */
import { createServer } from "node:http";
import { join } from "node:path";
import pino from "pino";
import { AgentError } from "../../src/model/errors.ts";
import { createEngine } from "../../src/services/docker.ts";
import { dial, startRouter } from "../support/link.ts";

const done: unknown[] = [];
const loaded: string[] = [];
Object.assign(globalThis, { loaded });

const router = await startRouter();
const device = await dial(router.url).joined;
const caller = await dial(router.url, { authid: "salted", readSecret: () => "pw" }).joined;

await device.register("echo", (args) => args[0]);
const { args } = await caller.call("echo", ["x".repeat(100_000)]);
done.push(["echo", String(args[0]).length]);

const heard = Promise.withResolvers<unknown>();
await caller.subscribe("news", ([text]) => heard.resolve(text));
await device.publishAcknowledged("news", ["é".repeat(3_000)]);
done.push(["news", String(await heard.promise).length]);

const refused = await caller.call("nowhere").catch((error: unknown) => error);
done.push(["nowhere", (refused as { uri?: string }).uri]);

const socketPath = join(process.argv[2] ?? "", "s");
const docker = createServer((_, answer) => answer.setHeader("content-type", "application/json").end("[]"));
await new Promise<void>((resolve) => docker.listen(socketPath, resolve));
const engine = createEngine({ socketPath });
done.push(["containers", await engine.containers()]);
await new Promise((resolve) => docker.close(resolve));
const gone = await engine.containers().catch((error: unknown) => error);
done.push(["gone", gone instanceof AgentError && gone.code]);

pino({ base: null, timestamp: false }, { write: (line) => void done.push(["log", line]) }).info("hello");

done.push(["before", [...loaded]]);
const { answer } = await import("./later.ts");
done.push(["after", [...loaded], answer]);

await device.leave();
await caller.leave();
await router.close();
process.stdout.write(JSON.stringify(done));
