/**
 * Where the states of a machine stand on the page. This is all that a hand writes; everything else comes from the code.
 * A cell is [column, row]; only states without children have one. Frames, widths and gaps follow.
 */
import type { Chart, ChartState } from "./chart.ts";

export type Cell = readonly [column: number, row: number];
export type Phase = "gone" | "coming" | "up" | "updating" | "going" | "trouble" | "unsure";
export type Side = "N" | "E" | "S" | "W";

export interface Layout {
  readonly title: string;
  readonly cells: Readonly<Record<string, Cell>>;
  /** The phase of life that colours a state and all in it. */
  readonly phases: Readonly<Record<string, Phase>>;
  /** The happy paths: states in order, drawn thick. */
  readonly happy: readonly (readonly string[])[];
  /** Left top corners of what is no state. */
  readonly note: Cell;
  readonly legend: Cell;
  /** A guard, delay or event whose name alone does not tell a stranger what is meant. */
  readonly words?: Readonly<Record<string, string>>;
  /** Heading of what the root notes in every state. */
  readonly noted?: string;
  /** Entry actions whose parameter is what the state does: shown like an effect. */
  readonly orders?: readonly string[];
  /** Guards that every arrow of a kind has. */
  readonly hushed?: readonly string[];
  /** More (or less) room before a column or a row, in px. */
  readonly gaps?: {
    readonly columns?: Readonly<Record<number, number>>;
    readonly rows?: Readonly<Record<number, number>>;
  };
  /** Sides at which an arrow leaves and arrives, for the few that the router would take elsewhere: "from>to": "NE". */
  readonly sides?: Readonly<Record<string, `${Side | "-"}${Side | "-"}`>>;
}

export const pathOf = (id: string): string => id.split(".").slice(1).join(".");

export function statesOf(state: ChartState): ChartState[] {
  return [state, ...state.states.flatMap(statesOf)];
}

/** What a test asks: each state without children has a cell of its own, and nothing is named that is not there. */
export function layoutProblems({ root }: Chart, layout: Layout): string[] {
  const all = statesOf(root).slice(1);
  const known = new Set(all.map(({ id }) => pathOf(id)));
  const leaves = all.filter(({ states }) => states.length === 0).map(({ id }) => pathOf(id));
  const taken = new Map<string, string>();
  const named = [...Object.keys(layout.cells), ...Object.keys(layout.phases), ...layout.happy.flat()];
  named.push(...Object.keys(layout.sides ?? {}).flatMap((key) => key.split(">")));
  return [
    ...leaves.filter((path) => !layout.cells[path]).map((path) => `no cell: ${path}`),
    ...named.filter((path) => !known.has(path)).map((path) => `no such state: ${path}`),
    ...Object.entries(layout.cells).flatMap(([path, cell]) => {
      const other = taken.get(String(cell));
      taken.set(String(cell), path);
      return other ? [`same cell: ${other}, ${path}`] : [];
    }),
  ];
}

/** Words for names that no guard, delay or event has. */
export function unusedWords({ root }: Chart, { words = {} }: Layout): string[] {
  const names = statesOf(root).flatMap(({ transitions }) =>
    transitions.flatMap(({ event, guard = "" }) => [event.replace(/^after /, ""), guard, ...guard.split(" & ")]),
  );
  return Object.keys(words).filter((word) => !names.includes(word));
}
