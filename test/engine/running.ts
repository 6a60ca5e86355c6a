/** One app that runs, beside an engine that can be harmed: where stories of a hostile engine begin. */
import { join } from "node:path";
import { Status } from "../../src/model/status.ts";
import { ask } from "../../src/services/controlClient.ts";
import { hears, isDevice, type Stage, startStage } from "./stage.ts";

export const FOREVER = "trap 'exit 0' TERM; while true; do sleep 0.2; done";
export const SHORT_GRACE = { REAGENT_CONTAINERS_STOP_GRACE: "1" };

export async function running(): Promise<Stage> {
  const s = await startStage({ isProxied: true, env: SHORT_GRACE });
  await s.publish("1.0.0", FOREVER);
  await s.see("connected", isDevice("CONNECTED"), () => s.startAgent());
  await s.see("it runs", hears(s.key, "RUNNING"), () => s.want("RUNNING"), 60_000);
  return s;
}

/** What the agent shows of its first app. */
export const appOf = async (s: Stage) => Status.parse(await ask(join(s.home, "reagent.sock"), "status")).apps[0];

/** The states of the app's containers in the engine. */
export const statesOf = async (s: Stage) =>
  (await s.engine.containers([`io.reagent.app-key=${s.key}`])).map(({ State }) => State);
