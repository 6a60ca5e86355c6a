/** What a second terminal may ask a studio that runs, over a socket in its folder. A refusal is an answer, not an error. */
import { AgentError } from "../model/errors.ts";
import { type ControlAnswer, read, Wish } from "../model/studio.ts";
import { WireError } from "../model/wireRequest.ts";
import { startControl } from "../services/controlServer.ts";
import type { Studio } from "./studio.ts";
import { studioSocket } from "./studioFolder.ts";

/** Open until closed. Each handler checks what it is given. */
export function openStudioControl(studio: Studio): Promise<{ close(): Promise<void> }> {
  return startControl({
    path: studioSocket(studio.folder),
    handlers: {
      apps: () => answer(() => studio.apps()),
      desire: (params) =>
        answer(() => {
          const { app, target, version, device } = read(Wish, params);
          return studio.desire(app, target, version, device);
        }),
      add_app: (params) => answer(() => studio.addApp(params as Parameters<Studio["addApp"]>[0])),
      add_device: (params) => answer(() => studio.addDevice(params as Parameters<Studio["addDevice"]>[0])),
    },
  });
}

async function answer(run: () => unknown): Promise<ControlAnswer> {
  try {
    return { done: (await run()) ?? null };
  } catch (error) {
    const isRefusal = error instanceof WireError || (error instanceof AgentError && error.code === "studio_refused");
    if (isRefusal) return { refused: error.message };
    throw error;
  }
}
