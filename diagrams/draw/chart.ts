/** A plain picture of a machine, taken from the code: the one thing that every drawing reads. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from "xstate";

export interface ChartState {
  readonly id: string;
  readonly key: string;
  /** Id of the state in which a compound one starts. */
  readonly initial?: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invoke: readonly string[];
  readonly tags: readonly string[];
  readonly isFinal: boolean;
  readonly states: readonly ChartState[];
  readonly transitions: readonly ChartTransition[];
}

export interface ChartTransition {
  readonly id: string;
  readonly source: string;
  readonly targets: readonly string[];
  readonly event: string;
  readonly kind: "event" | "after" | "always" | "done" | "error";
  readonly guard?: string | undefined;
  readonly actions: readonly string[];
}

export interface Chart {
  readonly id: string;
  readonly root: ChartState;
}

export const toChart = (machine: AnyStateMachine): Chart => ({ id: machine.id, root: visit(machine.root) });

function visit(node: AnyStateNode): ChartState {
  const all: AnyTransitionDefinition[] = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return {
    id: node.id,
    key: node.key,
    tags: [...node.tags],
    isFinal: node.type === "final",
    initial: node.type === "compound" ? node.initial.target?.[0]?.id : undefined,
    entry: node.entry.map(actionName).filter((name) => !name.startsWith("raise")),
    exit: node.exit.map(actionName).filter((name) => !name.startsWith("cancel")),
    invoke: node.invoke.map(({ src }) => String(src)),
    states: Object.values(node.states).map((child) => visit(child as AnyStateNode)),
    transitions: all.map((transition, i) => ({
      id: `${node.id}#${i}`,
      source: node.id,
      targets: (transition.target ?? []).map(({ id }) => id),
      ...eventOf(transition, node),
      guard: guardName(transition.guard),
      actions: transition.actions.map(actionName),
    })),
  };
}

function eventOf(
  { eventType = "" }: AnyTransitionDefinition,
  node: AnyStateNode,
): Pick<ChartTransition, "event" | "kind"> {
  if (eventType === "") return { event: "", kind: "always" };
  if (eventType.startsWith("xstate.after.")) {
    const delay = node.after.find((each) => each.eventType === eventType)?.delay;
    return { event: `after ${typeof delay === "number" ? `${delay} ms` : String(delay)}`, kind: "after" };
  }
  if (eventType.startsWith("xstate.done.")) return { event: "done", kind: "done" };
  if (eventType.startsWith("xstate.error.")) return { event: "failed", kind: "error" };
  return { event: eventType, kind: "event" };
}

interface Named {
  readonly type?: string;
  readonly params?: unknown;
}

/** `report(RUNNING)`: with the parameters that are plain words. */
function actionName(action: unknown): string {
  if (typeof action === "string") return action;
  const { type = "action", params } = action as Named;
  const plain = Object.values(params && typeof params === "object" ? params : {}).filter((value) =>
    ["string", "number", "boolean"].includes(typeof value),
  );
  return `${type.replace(/^xstate\./, "")}${plain.length > 0 ? `(${plain.join(", ")})` : ""}`;
}

/** What XState makes of `and`, `or`, `not` and `stateIn`. */
interface GuardFunction {
  readonly guards?: readonly unknown[];
  readonly stateValue?: unknown;
  readonly check?: { readonly name: string };
}

function guardName(guard: unknown): string | undefined {
  if (guard === undefined || guard === null) return undefined;
  if (typeof guard === "string") return guard;
  const { guards, stateValue, check } = guard as GuardFunction;
  if (stateValue !== undefined) return `in ${JSON.stringify(stateValue).replaceAll('"', "")}`;
  const parts = (guards ?? []).map(guardName);
  if (parts.length === 0) return String((guard as Named).type ?? "guard");
  if (check?.name.includes("Not")) return `!${parts[0]}`;
  return parts.join(check?.name.includes("Or") ? " | " : " & ");
}

/** As the code says it: event, guard, actions. */
export function exactly({ event, guard, actions }: ChartTransition): string {
  return [event, guard && `[${guard}]`, actions.length > 0 && `/ ${actions.join(", ")}`].filter(Boolean).join(" ");
}
