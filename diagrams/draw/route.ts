/** Rectangles and arrows -> lines along the grid, and places for their words. Two runs give the same bytes. */
import { crossings, pairs, runsThrough } from "./geometry.ts";
import { Grid, isFrame, type Routed } from "./grid.ts";
import { labelFor, trouble } from "./labels.ts";
import type { Layout } from "./layout.ts";
import type { Page } from "./place.ts";
import type { Arrow } from "./story.ts";
import { Ways } from "./ways.ts";

export interface Routing {
  readonly routed: readonly Routed[];
  /** What a reader would trip over: lines that cross, words without a free place. */
  readonly crossings: number;
  readonly problems: readonly string[];
}

const PASSES = 4;

export function route(page: Page, arrows: readonly Arrow[], layout: Layout): Routing {
  const drawing = new Drawing(page, layout);
  const order = inOrder(page, arrows);
  for (let pass = 0; pass < PASSES; pass++) for (const arrow of order) drawing.redraw(arrow);
  for (const [first, second] of pairs(order)) drawing.untangle(first, second);
  for (const arrow of order) drawing.placeWords(arrow);
  const routed = arrows.flatMap((arrow) => drawing.lines.get(arrow) ?? []);
  return { routed, crossings: crossingsIn(routed), problems: problemsIn(page, arrows, routed) };
}

/** The happy path first, then what is near. */
function inOrder(page: Page, arrows: readonly Arrow[]): Arrow[] {
  const distance = ({ from, to }: Arrow) => {
    const [a, b] = [page.placed.get(from)?.rect, page.placed.get(to)?.rect];
    return a && b ? Math.abs(a.x + a.w / 2 - b.x - b.w / 2) + Math.abs(a.y + a.h / 2 - b.y - b.h / 2) : 0;
  };
  return [...arrows].sort((a, b) => Number(b.ink === "happy") - Number(a.ink === "happy") || distance(a) - distance(b));
}

const crossingsIn = (routed: readonly Routed[]): number =>
  pairs(routed).reduce((sum, [one, other]) => sum + crossings(one.points, other.points), 0);

class Drawing {
  readonly lines = new Map<Arrow, Routed>();
  readonly #page: Page;
  readonly #grid: Grid;
  readonly #ways: Ways;

  constructor(page: Page, layout: Layout) {
    this.#page = page;
    this.#grid = new Grid(page);
    this.#ways = new Ways(this.#grid, layout);
  }

  /** Takes a line away and looks for a better one; keeps the old one where there is none. */
  redraw(arrow: Arrow): void {
    const old = this.#remove(arrow);
    const points = this.#ways.find(arrow) ?? old?.points;
    if (points) this.#add({ arrow, points, label: labelFor(arrow, points, [...this.lines.values()], this.#page) });
  }

  /** Two that cross are drawn again in the other order, and what they then push; that stays if it helps. */
  untangle(first: Arrow, second: Arrow): void {
    const [a, b] = [this.lines.get(first), this.lines.get(second)];
    if (!a || !b || crossings(a.points, b.points) === 0) return;
    const old = [...this.lines.values()];
    const before = crossingsIn(old);
    this.#remove(first);
    this.#remove(second);
    this.#drawInstead(second, b);
    this.#drawInstead(first, a);
    const pair = [this.lines.get(first), this.lines.get(second)];
    const pushed = old.filter(
      ({ arrow, points }) =>
        arrow !== first && arrow !== second && pair.some((one) => one && crossings(points, one.points) > 0),
    );
    for (const { arrow } of pushed) this.redraw(arrow);
    if (crossingsIn([...this.lines.values()]) < before) return;
    for (const { arrow } of old) this.#remove(arrow);
    for (const each of old) this.#add(each);
  }

  /** Once more, now that all lines are known. */
  placeWords(arrow: Arrow): void {
    const old = this.lines.get(arrow);
    if (!old) return;
    this.lines.delete(arrow);
    this.lines.set(arrow, { ...old, label: labelFor(arrow, old.points, [...this.lines.values()], this.#page) });
  }

  #drawInstead(arrow: Arrow, old: Routed): void {
    const points = this.#ways.find(arrow) ?? old.points;
    this.#add({ arrow, points, label: labelFor(arrow, points, [...this.lines.values()], this.#page) });
  }

  #add(made: Routed): void {
    this.#grid.mark(made, 1);
    this.lines.set(made.arrow, made);
  }

  #remove(arrow: Arrow): Routed | undefined {
    const old = this.lines.get(arrow);
    if (old) this.#grid.mark(old, -1);
    this.lines.delete(arrow);
    return old;
  }
}

function problemsIn(page: Page, arrows: readonly Arrow[], routed: readonly Routed[]): string[] {
  const name = ({ from, to }: Arrow) => `${from} > ${to}`;
  const drawn = new Set(routed.map(({ arrow }) => arrow));
  const boxes = [...page.placed.values()].filter((each) => !isFrame(each));
  return [
    ...arrows.filter((arrow) => !drawn.has(arrow)).map((arrow) => `no way: ${name(arrow)}`),
    ...routed.flatMap(({ arrow, points }) =>
      boxes.filter(({ rect }) => runsThrough(points, rect)).map(({ box }) => `through ${box.path}: ${name(arrow)}`),
    ),
    ...routed
      .filter(
        (each) =>
          each.label &&
          trouble(
            each.label,
            routed.filter((other) => other !== each),
            page,
          ) > 0,
      )
      .map(({ arrow }) => `words in the way: ${name(arrow)}`),
  ];
}
