/** One machine, drawn: an SVG for eyes, a Mermaid text for pages and diffs. */
import type { AnyStateMachine } from "xstate";
import { toChart } from "./chart.ts";
import { type Layout, layoutProblems } from "./layout.ts";
import { toMermaid } from "./mermaid.ts";
import { paint } from "./paint.ts";
import { tell } from "./story.ts";

export interface Picture {
  readonly svg: string;
  readonly mermaid: string;
  /** What a reader would trip over. */
  readonly problems: readonly string[];
}

export function picture({ machine, layout }: { machine: AnyStateMachine; layout: Layout }): Picture {
  const chart = toChart(machine);
  const wrong = layoutProblems(chart, layout);
  if (wrong.length > 0) return { svg: "", mermaid: "", problems: wrong };
  const { svg, routing } = paint(tell(chart, layout), layout);
  const crossed = routing.crossings > 0 ? [`${routing.crossings} crossing(s)`] : [];
  return { svg, mermaid: toMermaid(chart), problems: [...routing.problems, ...crossed] };
}
