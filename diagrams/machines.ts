/** Every machine that is drawn, with its layout. */
import type { AnyStateMachine } from "xstate";
import { agentMachine } from "../src/machines/agent.ts";
import { appMachine } from "../src/machines/app.ts";
import { connectionMachine } from "../src/machines/connection.ts";
import { engineMachine } from "../src/machines/engine.ts";
import { logsMachine } from "../src/machines/logs.ts";
import { reporterMachine } from "../src/machines/reporter.ts";
import type { Layout } from "./draw/layout.ts";
import { agentLayout } from "./layouts/agent.ts";
import { appLayout } from "./layouts/app.ts";
import { connectionLayout } from "./layouts/connection.ts";
import { engineLayout } from "./layouts/engine.ts";
import { logsLayout } from "./layouts/logs.ts";
import { reporterLayout } from "./layouts/reporter.ts";

export interface Drawn {
  readonly machine: AnyStateMachine;
  readonly layout: Layout;
}

export const MACHINES: readonly Drawn[] = [
  { machine: agentMachine, layout: agentLayout },
  { machine: appMachine, layout: appLayout },
  { machine: connectionMachine, layout: connectionLayout },
  { machine: engineMachine, layout: engineLayout },
  { machine: logsMachine, layout: logsLayout },
  { machine: reporterMachine, layout: reporterLayout },
];
