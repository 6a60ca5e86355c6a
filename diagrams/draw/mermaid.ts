/** A chart as Mermaid text: for pages that draw it themselves, and for a diff that a person can read. */
import { type Chart, type ChartState, exactly } from "./chart.ts";
import { statesOf } from "./layout.ts";

export function toMermaid({ root }: Chart): string {
  const all = statesOf(root);
  const arrows = all.flatMap(({ id, transitions }) =>
    transitions.flatMap((transition) =>
      transition.targets.map((to) =>
        id === root.id
          ? `  %% from anywhere --> ${nameOf(to)}: ${exactly(transition)}`
          : `  ${nameOf(id)} --> ${nameOf(to)}${colon(exactly(transition))}`,
      ),
    ),
  );
  const noted = root.transitions
    .filter(({ targets }) => targets.length === 0)
    .map((transition) => `  %% noted anywhere: ${exactly(transition)}`);
  return `${["stateDiagram-v2", ...inside(root, "  "), ...arrows, ...noted].join("\n")}\n`;
}

function inside({ states, initial }: ChartState, indent: string): string[] {
  return [
    ...(initial ? [`${indent}[*] --> ${nameOf(initial)}`] : []),
    ...states.flatMap((state) => block(state, indent)),
  ];
}

function block(state: ChartState, indent: string): string[] {
  const { id, key, states, isFinal } = state;
  const own = [...state.entry.map((name) => `entry / ${name}`), ...state.invoke.map((name) => `do / ${name}`)];
  const stays = state.transitions.filter(({ targets }) => targets.length === 0).map(exactly);
  const rows = [...own, ...stays].map(plain);
  if (states.length === 0) {
    const end = isFinal ? [`${indent}${nameOf(id)} --> [*]`] : [];
    return [`${indent}state "${[key, ...rows].join("<br/>")}" as ${nameOf(id)}`, ...end];
  }
  const note = rows.length > 0 ? [`${indent}note right of ${nameOf(id)}: ${rows.join("<br/>")}`] : [];
  return [`${indent}state "${key}" as ${nameOf(id)} {`, ...inside(state, `${indent}  `), `${indent}}`, ...note];
}

const nameOf = (id: string): string => id.replaceAll(/\W/g, "_");
const colon = (text: string): string => (text ? `: ${plain(text)}` : "");
/** Signs that mean something to Mermaid. */
const plain = (text: string): string => text.replaceAll('"', "'").replaceAll(";", ",").replaceAll(":", "#58;");
