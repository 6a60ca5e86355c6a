/** A studio in a process of its own, to be killed: `node servedStudio.ts <folder>`. Says its flock file as one line. */
import { startStudio } from "../../src/studio/studio.ts";

const [folder = ""] = process.argv.slice(2);
const studio = await startStudio({ folder, registryHost: "127.0.0.1:5000", onEvent: () => {} });
const flock = studio.addDevice({ name: "press-01" });
studio.addApp({ key: 42, name: "weather", versions: ["1.0.0"] });
await studio.desire("weather", "RUNNING");
process.stdout.write(`${JSON.stringify(flock)}\n`);
