/** Publishes, calls and is called, for `millionFigures`: node bench/talker.ts <router> <messages>. Says how far it is ten times. */
import { dial } from "../test/support/link.ts";

const [url = "", count = "0"] = process.argv.slice(2);
const messages = Number(count);
const session = await dial(url).joined;
await session.register("dev.dev1.echo", (args) => args[0]);
for (let n = 1; n <= messages; n++) {
  if (n % 10 === 0) await session.call("dev.dev1.echo", [n]);
  else session.publish("logs.x", [n, "a line as apps say them, of some length"]);
  if (n % 100 === 0) await session.room("logs");
  if (n % (messages / 10) === 0) process.stdout.write(`${n}\n`);
}
session.close();
