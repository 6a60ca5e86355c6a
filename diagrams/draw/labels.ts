/** The places of an arrow's words: on its own line, on a stretch long enough, near the middle, away from everything else. */
import { along, lengthOf, meet, type Point, type Rect, reach, stretches, within } from "./geometry.ts";
import type { Routed } from "./grid.ts";
import { labelSize, type Page, PITCH, type Placed } from "./place.ts";
import type { Arrow } from "./story.ts";

/** Undefined for an arrow that says nothing. */
export function labelFor(
  { lines }: Arrow,
  points: readonly Point[],
  others: readonly Routed[],
  page: Page,
): Rect | undefined {
  if (lines.length === 0) return undefined;
  let best: Candidate | undefined;
  for (const { rect, cost } of candidates(points, labelSize(lines))) {
    const whole = cost + trouble(rect, others, page) * 1000;
    if (!best || whole < best.cost) best = { rect, cost: whole };
  }
  return best?.rect;
}

interface Candidate {
  readonly rect: Rect;
  /** For a stretch that is too short, and for being off the middle. */
  readonly cost: number;
}

function candidates(points: readonly Point[], size: { w: number; h: number }): Candidate[] {
  const all = stretches(points);
  const total = lengthOf(points);
  let before = 0;
  return all.flatMap((stretch, i) => {
    const [lead, tail] = [i === 0 ? 3 : 5, i === all.length - 1 ? 14 : 5];
    const at = before;
    before += reach(stretch);
    return placesOn(stretch, size, lead, tail).map(({ d, cost, rect }) => ({
      rect,
      cost: cost + Math.abs(at + d - total * 0.4) / 10,
    }));
  });
}

function placesOn(stretch: { from: Point; to: Point }, size: { w: number; h: number }, lead: number, tail: number) {
  const { from, to } = stretch;
  const isFlat = from.y === to.y;
  const length = reach(stretch);
  const need = (isFlat ? size.w : size.h) / 2;
  return Array.from({ length: Math.floor(length / (PITCH / 2)) + 1 }, (_, n) => {
    const d = (n * PITCH) / 2;
    const short = Math.max(0, need + lead - d) + Math.max(0, need + tail - (length - d));
    const centre = { x: from.x + Math.sign(to.x - from.x) * d, y: from.y + Math.sign(to.y - from.y) * d };
    const rect = { x: centre.x - size.w / 2, y: centre.y - size.h / 2, ...size };
    return { d, rect, cost: short * 40 + (isFlat ? 0 : 6) };
  });
}

/** How much stands in the way of words there: boxes, borders, panels, other lines and their words. */
export function trouble(rect: Rect, others: readonly Routed[], page: Page): number {
  const count = (isSo: boolean, worth: number) => (isSo ? worth : 0);
  const boxes = [...page.placed.values()].reduce((sum, each) => sum + troubleWith(rect, each), 0);
  const panels = [page.note, page.legend].reduce((sum, panel) => sum + count(meet(rect, panel, 2), 2), 0);
  const lines = others.reduce(
    (sum, { points, label }) =>
      sum +
      count(label !== undefined && meet(rect, label, 2), 2) +
      stretches(points).filter((stretch) => meet(rect, along(stretch), 2)).length,
    0,
  );
  return boxes + panels + lines;
}

function troubleWith(rect: Rect, { rect: own, head, box }: Placed): number {
  if (box.boxes.length > 0) {
    const isOnBorder = meet(rect, own, 1) && !within(rect, own, 2);
    return (meet(rect, head, 1) ? 2 : 0) + (isOnBorder ? 1 : 0);
  }
  const marks = [
    ...(box.isHubTarget ? [cornerAt(own.x, own.y)] : []),
    ...(box.mayFail ? [cornerAt(own.x + own.w, own.y + own.h)] : []),
  ];
  return [own, ...marks].some((each) => meet(rect, each, 2)) ? 2 : 0;
}

const cornerAt = (x: number, y: number): Rect => ({ x: x - 8, y: y - 8, w: 16, h: 16 });
