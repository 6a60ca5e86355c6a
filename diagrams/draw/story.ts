/** What is drawn, in words: arrows, boxes' lines and notes. From the chart and the layout's words; no geometry. */
import { type Chart, type ChartState, type ChartTransition, exactly } from "./chart.ts";
import { type Layout, type Phase, pathOf, statesOf } from "./layout.ts";
import { Speech } from "./speech.ts";

export type Ink = "happy" | "trouble" | "time" | "plan";
export interface Line {
  readonly text: string;
  readonly ink: Ink;
}
export interface Arrow {
  readonly from: string;
  /** Where it ends on the page: an arrow into a frame ends at the state in which the frame starts. */
  readonly to: string;
  /** What the code says. */
  readonly target: string;
  readonly ink: Ink;
  readonly isTimed: boolean;
  readonly lines: readonly Line[];
  readonly title: string;
}
export interface Box {
  readonly path: string;
  readonly name: string;
  readonly phase: Phase;
  readonly badges: readonly string[];
  readonly effect?: string | undefined;
  readonly rows: readonly Line[];
  readonly isHub: boolean;
  /** The hub may lead here. */
  readonly isHubTarget: boolean;
  /** What it does may fail, and only the root says where to then. */
  readonly mayFail: boolean;
  readonly boxes: readonly Box[];
}
export interface Story {
  readonly id: string;
  readonly start: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  readonly rules: readonly Line[];
  readonly noted: readonly Line[];
}

const last = (path: string) => path.split(".").at(-1) ?? path;
const isWithin = (id: string, to: string) => to === id || to.startsWith(`${id}.`);
const isHub = ({ tags }: ChartState, { kind }: ChartTransition) => tags.includes("hub") && kind === "always";
const leadsOut = ({ targets }: ChartTransition) => targets.length > 0;

export function tell(chart: Chart, layout: Layout): Story {
  const teller = new Teller(chart, layout);
  const { root } = chart;
  const boxes = root.states.map((state) => teller.box(state, []));
  return {
    id: chart.id,
    start: pathOf(teller.startOf(root.id)),
    boxes,
    arrows: [...teller.arrows.values()],
    rules: root.transitions.filter(leadsOut).map((transition) => teller.rule(transition)),
    noted: root.transitions
      .filter((transition) => !leadsOut(transition))
      .map((transition) => ({ text: teller.speech.stays(transition), ink: "plan" })),
  };
}

class Teller {
  readonly arrows = new Map<string, Arrow>();
  readonly speech: Speech;
  readonly #layout: Layout;
  readonly #byId: ReadonlyMap<string, ChartState>;
  readonly #happy: ReadonlySet<string>;
  readonly #hubTargets: ReadonlySet<string>;

  constructor({ root }: Chart, layout: Layout) {
    const all = statesOf(root);
    this.speech = new Speech(layout);
    this.#layout = layout;
    this.#byId = new Map(all.map((state) => [state.id, state]));
    this.#happy = new Set(layout.happy.flatMap((way) => way.slice(1).map((to, i) => `${way[i]}>${to}`)));
    this.#hubTargets = new Set(
      all.flatMap((state) =>
        state.transitions
          .filter((transition) => isHub(state, transition))
          .flatMap(({ targets }) => targets.map((to) => this.startOf(to))),
      ),
    );
  }

  /** The state without children in which one starts. */
  startOf(id: string): string {
    const initial = this.#byId.get(id)?.initial;
    return initial ? this.startOf(initial) : id;
  }

  /** One line of what holds everywhere. */
  rule(transition: ChartTransition): Line {
    const text = `${this.speech.words(transition)} \u2192 ${transition.targets.map(last).join()}`;
    return { text, ink: this.#inkOf(transition, transition.targets[0] ?? "") };
  }

  box(state: ChartState, above: readonly ChartState[]): Box {
    const path = pathOf(state.id);
    const isAHub = state.tags.includes("hub");
    const told = state.transitions.filter((transition) => !isHub(state, transition));
    const rows = told.flatMap((transition) => this.#rows(state, transition, above));
    return {
      path,
      name: state.key,
      phase: this.#phaseOf(path),
      badges: state.entry.flatMap(wireNames),
      effect: this.#effectOf(state),
      rows: [...(isAHub ? [{ text: "goes where the facts say", ink: "plan" } as const] : []), ...rows],
      isHub: isAHub,
      isHubTarget: this.#hubTargets.has(state.id),
      mayFail: state.invoke.length > 0 && !state.transitions.some(({ kind }) => kind === "error"),
      boxes: state.states.map((child) => this.box(child, [...above, state])),
    };
  }

  /** What is said in the box; the rest becomes arrows. */
  #rows(state: ChartState, transition: ChartTransition, above: readonly ChartState[]): Line[] {
    if (!leadsOut(transition)) {
      const ink = this.#inkOf(transition, transition.source);
      return transition.kind === "done" ? [] : [{ text: this.speech.stays(transition), ink }];
    }
    return transition.targets.flatMap((target) => {
      const line = { text: this.speech.words(transition), ink: this.#inkOf(transition, target) };
      if (isRow(state, target, above)) return [{ ...line, text: `${line.text || "done"} \u2192 ${last(target)}` }];
      this.#draw(state, transition, target, line);
      return [];
    });
  }

  /** All transitions between the same two states share one arrow. */
  #draw(state: ChartState, transition: ChartTransition, target: string, line: Line): void {
    const [from, to] = [pathOf(state.id), pathOf(this.startOf(target))];
    const known = this.arrows.get(`${from}>${to}`);
    const isHappy = [target, this.startOf(target)].some((end) => this.#happy.has(`${from}>${pathOf(end)}`));
    const lines = [...(known?.lines ?? []), ...(line.text ? [line] : [])];
    this.arrows.set(`${from}>${to}`, {
      from,
      to,
      target: pathOf(target),
      ink: isHappy ? "happy" : (known?.ink ?? line.ink),
      isTimed: transition.kind === "after" && known?.isTimed !== false,
      lines: lines.filter((each, i) => lines.findIndex(({ text }) => text === each.text) === i),
      title: [known?.title, exactly(transition)].filter(Boolean).join("\n"),
    });
  }

  #phaseOf(path: string): Phase {
    for (let at = path; at; at = at.split(".").slice(0, -1).join(".")) {
      const phase = this.#layout.phases[at];
      if (phase) return phase;
    }
    return "unsure";
  }

  /** Red follows where it leads, not how the code says it. */
  #inkOf({ kind, source }: ChartTransition, to: string): Ink {
    const isTrouble = (id: string) => this.#phaseOf(pathOf(id)) === "trouble";
    if (kind === "error" || (isTrouble(to) && !isTrouble(source))) return "trouble";
    return kind === "after" ? "time" : "plan";
  }

  #effectOf({ invoke, entry }: ChartState): string | undefined {
    const [src] = invoke;
    if (src) return `${src}()`;
    const found = entry.map((each) => /^(\w+)\((.*)\)$/.exec(each));
    return found.find((each) => this.#layout.orders?.includes(each?.[1] ?? ""))?.[2];
  }
}

/** What stays within a state, and what an arrow of its frame says already: it would be said twice. */
function isRow(state: ChartState, to: string, above: readonly ChartState[]): boolean {
  if (isWithin(state.id, to)) return true;
  return above.some(
    ({ id, transitions }) => !isWithin(id, to) && transitions.some(({ targets }) => targets.includes(to)),
  );
}

function wireNames(entry: string): string[] {
  const [, said = ""] = /^report\((.*)\)$/.exec(entry) ?? [];
  return said.split(", ").filter(Boolean);
}
