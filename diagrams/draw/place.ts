/** Layout -> rectangles. Boxes are as large as their text, columns as wide as their widest box; all on a grid of 8 px. */
import type { Rect } from "./geometry.ts";
import type { Cell, Layout } from "./layout.ts";
import type { Arrow, Box, Line, Story } from "./story.ts";

export const PITCH = 8;
export const TEXT = { title: 14, row: 11.5, label: 12, badge: 9.5 } as const;
/** So that a side has room for three arrows. */
const SMALLEST = 6 * PITCH;
const INSET = 3 * PITCH;
const LANE = 3 * PITCH;

export interface Placed {
  readonly box: Box;
  readonly rect: Rect;
  /** The part of a frame that its words need; of a box, all of it. */
  readonly head: Rect;
}
export interface Page {
  readonly w: number;
  readonly h: number;
  readonly placed: ReadonlyMap<string, Placed>;
  readonly note: Rect;
  readonly legend: Rect;
}

/** Advance widths of Helvetica (and Liberation Sans, Arial) for U+0020..U+007E, in 1/1000 em. */
const WIDTHS = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
];
export const widthOf = (text: string, px: number, bold = false): number =>
  ([...text].reduce((sum, c) => sum + (WIDTHS[c.charCodeAt(0) - 32] ?? 1000), 0) * px * (bold ? 1.07 : 1)) / 1000;

export const LINE = { label: 14, row: 15, effect: 16, badge: 17 } as const;
export const labelSize = (lines: readonly Line[]) => ({
  w: Math.max(0, ...lines.map(({ text }) => widthOf(text, TEXT.label))) + 6,
  h: lines.length * LINE.label + 2,
});
export const badgeWidth = (text: string) => widthOf(text, TEXT.badge, true) + 10;
const up = (value: number, step = 2 * PITCH) => Math.ceil(value / step) * step;

/** Size of the words of a box: name, wire names, effect, rows. */
function sizeOf({ name, badges, effect, rows }: Box) {
  const w = Math.max(
    widthOf(name, TEXT.title, true),
    ...badges.map(badgeWidth),
    effect ? widthOf(effect, TEXT.row) : 0,
    ...rows.map(({ text }) => widthOf(text, TEXT.row)),
  );
  const h = 22 + badges.length * LINE.badge + (effect ? LINE.effect : 0) + rows.length * LINE.row + 2;
  return { w: up(w + 18), h: Math.max(SMALLEST, up(h)) };
}
/** A frame has its wire name beside its name. */
function headOf({ name, badges, effect, rows }: Box) {
  const beside =
    badges.reduce((sum, badge) => sum + badgeWidth(badge) + 5, 0) + (effect ? widthOf(effect, TEXT.row) + 8 : 0);
  const top = widthOf(name, TEXT.title, true) + beside;
  return {
    w: up(Math.max(top, ...rows.map(({ text }) => widthOf(text, TEXT.row))) + 16),
    h: up(22 + rows.length * LINE.row, PITCH),
  };
}

export function place(
  story: Story,
  layout: Layout,
  noteSize: { w: number; h: number },
  legendSize: { w: number; h: number },
): Page {
  const leaves: { box: Box; cell: Cell }[] = [];
  const frames: { box: Box; from: Cell; to: Cell; inset: { l: number; r: number; t: number; b: number } }[] = [];
  const visit = (box: Box): { from: Cell; to: Cell } => {
    const cell = layout.cells[box.path];
    if (box.boxes.length === 0) {
      if (!cell) throw new Error(`${box.path} has no cell`);
      leaves.push({ box, cell });
      return { from: cell, to: cell };
    }
    const inside = box.boxes.map((child) => ({ child, ...visit(child) }));
    const from: Cell = [Math.min(...inside.map((i) => i.from[0])), Math.min(...inside.map((i) => i.from[1]))];
    const to: Cell = [Math.max(...inside.map((i) => i.to[0])), Math.max(...inside.map((i) => i.to[1]))];
    const own = inside.flatMap(({ child }) => frames.filter((frame) => frame.box === child));
    // a lane for arrows between a frame's border and that of a frame in it
    const most = (side: "l" | "r" | "t" | "b", touches: (frame: (typeof own)[number]) => boolean) =>
      Math.max(0, ...own.filter(touches).map(({ inset }) => inset[side] + (side === "t" ? 0 : LANE)));
    frames.push({
      box,
      from,
      to,
      inset: {
        l: INSET + most("l", (f) => f.from[0] === from[0]),
        r: INSET + most("r", (f) => f.to[0] === to[0]),
        t: headOf(box).h + PITCH + most("t", (f) => f.from[1] === from[1]),
        b: INSET + most("b", (f) => f.to[1] === to[1]),
      },
    });
    return { from, to };
  };
  for (const box of story.boxes) visit(box);

  const [columns, rows] = ([0, 1] as const).map((axis) => {
    const size = axis === 0 ? "w" : "h";
    const count = Math.max(...leaves.map(({ cell }) => cell[axis])) + 1;
    const gaps = (axis === 0 ? layout.gaps?.columns : layout.gaps?.rows) ?? {};
    let at = 0;
    return Array.from({ length: count }, (_, i) => {
      const before = Math.max(
        0,
        ...frames.filter(({ from }) => from[axis] === i).map(({ inset }) => (axis === 0 ? inset.l : inset.t)),
      );
      const after = Math.max(
        0,
        ...frames.filter(({ to }) => to[axis] === i).map(({ inset }) => (axis === 0 ? inset.r : inset.b)),
      );
      const length = Math.max(0, ...leaves.filter(({ cell }) => cell[axis] === i).map(({ box }) => sizeOf(box)[size]));
      const gap = up(
        (i === 0 ? 0 : (axis === 0 ? 4 : 5) * PITCH) +
          (gaps[i] ?? (axis === 0 ? labelRoom(story.arrows, layout, i) : 0)),
        PITCH,
      );
      const start = at + gap + before;
      at = start + length + after;
      return { start, length, outer: at - length - after - before };
    });
  }) as [{ start: number; length: number; outer: number }[], { start: number; length: number; outer: number }[]];

  const margin = { x: 6 * PITCH, y: 7 * PITCH };
  const placed = new Map<string, Placed>();
  for (const { box, from, to, inset } of frames) {
    const x = margin.x + (columns[from[0]]?.start ?? 0) - inset.l;
    const y = margin.y + (rows[from[1]]?.start ?? 0) - inset.t;
    const right = margin.x + (columns[to[0]]?.start ?? 0) + (columns[to[0]]?.length ?? 0) + inset.r;
    const bottom = margin.y + (rows[to[1]]?.start ?? 0) + (rows[to[1]]?.length ?? 0) + inset.b;
    placed.set(box.path, { box, rect: { x, y, w: right - x, h: bottom - y }, head: { x, y, ...headOf(box) } });
  }
  for (const { box, cell } of leaves) {
    const size = sizeOf(box);
    const [column, row] = [columns[cell[0]], rows[cell[1]]];
    if (!column || !row) continue;
    const middle = (start: number, length: number, own: number) =>
      start + Math.floor((length - own) / 2 / PITCH) * PITCH;
    const rect = {
      x: margin.x + middle(column.start, column.length, size.w),
      y: margin.y + middle(row.start, row.length, size.h),
      ...size,
    };
    placed.set(box.path, { box, rect, head: rect });
  }
  const corner = ([column, row]: Cell, size: { w: number; h: number }): Rect => {
    const [x, y] = [columns[column], rows[row]];
    const end = (axis: { start: number; length: number }[]) =>
      (axis.at(-1)?.start ?? 0) + (axis.at(-1)?.length ?? 0) + 6 * PITCH;
    return {
      x: margin.x + (x ? x.outer : end(columns)),
      y: margin.y + (y ? y.outer : end(rows)),
      w: up(size.w, PITCH),
      h: up(size.h, PITCH),
    };
  };
  const [note, legend] = [corner(layout.note, noteSize), corner(layout.legend, legendSize)];
  const all = [...[...placed.values()].map(({ rect }) => rect), note, legend];
  return {
    w: Math.max(...all.map((r) => r.x + r.w)) + 3 * PITCH,
    h: Math.max(...all.map((r) => r.y + r.h)) + 3 * PITCH,
    placed,
    note,
    legend,
  };
}

/** Extra room before a column for the words of arrows between neighbours. */
function labelRoom(arrows: readonly Arrow[], { cells }: Layout, column: number): number {
  const between = arrows.filter(({ from, to }) => {
    const [a, b] = [cells[from], cells[to]];
    return a && b && a[1] === b[1] && Math.min(a[0], b[0]) === column - 1 && Math.max(a[0], b[0]) === column;
  });
  return Math.max(0, ...between.map(({ lines }) => (lines.length > 0 ? labelSize(lines).w - PITCH : 0)));
}
