/** Points, rectangles, and what lines along a grid do to each other. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect extends Point {
  readonly w: number;
  readonly h: number;
}

/** They overlap, or come nearer to each other than the gap. */
export const meet = (a: Rect, b: Rect, gap: number): boolean =>
  a.x < b.x + b.w + gap && b.x < a.x + a.w + gap && a.y < b.y + b.h + gap && b.y < a.y + a.h + gap;

/** `a` lies in `b`, with a gap all around. */
export const within = (a: Rect, b: Rect, gap: number): boolean =>
  a.x >= b.x + gap && a.y >= b.y + gap && a.x + a.w <= b.x + b.w - gap && a.y + a.h <= b.y + b.h - gap;

/** The stretches of a line, first to last. */
export function stretches(points: readonly Point[]): { from: Point; to: Point }[] {
  return points.slice(1).map((to, i) => ({ from: points[i] ?? to, to }));
}

/** Along the grid, so one of the two is 0. */
export const reach = ({ from, to }: { from: Point; to: Point }): number =>
  Math.abs(to.x - from.x) + Math.abs(to.y - from.y);

export const lengthOf = (points: readonly Point[]): number =>
  stretches(points).reduce((sum, each) => sum + reach(each), 0);

/** The rectangle that a stretch fills: as thin as a line. */
export const along = ({ from, to }: { from: Point; to: Point }): Rect => ({
  x: Math.min(from.x, to.x),
  y: Math.min(from.y, to.y),
  w: Math.abs(to.x - from.x),
  h: Math.abs(to.y - from.y),
});

/** The points at which a line turns, and its ends. */
export function corners(points: readonly Point[]): Point[] {
  return points.filter((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after) return true;
    const isStraight = (before.x === point.x && point.x === after.x) || (before.y === point.y && point.y === after.y);
    return !isStraight;
  });
}

export function runsThrough(points: readonly Point[], { x, y, w, h }: Rect): boolean {
  return stretches(points)
    .map(along)
    .some((line) => line.x < x + w && line.x + line.w > x && line.y < y + h && line.y + line.h > y);
}

/** How often two lines cross or lie on each other. */
export function crossings(a: readonly Point[], b: readonly Point[]): number {
  const others = stretches(b).map(along);
  return stretches(a)
    .map(along)
    .reduce((sum, one) => sum + others.filter((other) => touch(one, other)).length, 0);
}

const touch = (a: Rect, b: Rect): boolean =>
  a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;

/** Each pair of a list once. */
export function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.flatMap((one, i) => items.slice(i + 1).map((other): [Item, Item] => [one, other]));
}
