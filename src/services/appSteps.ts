/**
 * What each step of an app does to the engine. One step at a time for each app, also when the last was called off; each
 * ends with a look, and fails if the look does not show what it is for.
 */
import { type AppId, appName, type Facts, type StepInput } from "../model/app.ts";
import { ACHIEVED, type Effect } from "../model/plan.ts";
import { commit, rollBack, swap } from "./appUpdate.ts";
import { Work, type WorkOptions } from "./appWork.ts";
import { createLane, type Lane } from "./lane.ts";

export type Steps = Readonly<Record<Effect, (input: StepInput, signal: AbortSignal) => Promise<Facts>>> & {
  /** For an app that is gone. */
  forget(app: AppId): void;
};

export function createSteps(options: WorkOptions): Steps {
  const lanes = new Map<string, Lane>();
  const step =
    (name: Effect, run: (work: Work) => Promise<void>) =>
    (input: StepInput, signal: AbortSignal): Promise<Facts> => {
      const lane = lanes.get(appName(input.app)) ?? createLane();
      lanes.set(appName(input.app), lane);
      return lane(signal, async () => {
        const work = new Work(options, input, signal);
        await run(work);
        const facts = await work.look();
        const isAchieved = ACHIEVED[name](facts, input.version);
        if (name === "startContainer" || name === "swapContainers") work.tellStart(isAchieved, facts);
        if (!isAchieved) throw work.fruitless(name, facts);
        return facts;
      });
    };
  return {
    look: step("look", async () => {}),
    pullImage: step("pullImage", (work) => work.pull()),
    createContainer: step("createContainer", (work) => work.create()),
    startContainer: step("startContainer", (work) => work.start()),
    haltContainer: step("haltContainer", (work) => work.halt()),
    stopContainer: step("stopContainer", (work) => work.stop()),
    removeApp: step("removeApp", (work) => work.remove()),
    uninstallApp: step("uninstallApp", (work) => work.uninstall()),
    swapContainers: step("swapContainers", swap),
    commitUpdate: step("commitUpdate", commit),
    rollBackUpdate: step("rollBackUpdate", rollBack),
    forget: (app) => void lanes.delete(appName(app)),
  };
}
