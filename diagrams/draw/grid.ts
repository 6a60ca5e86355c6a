/** The page as a grid of 8 px: where no line may go, where it had better not, and which lines and words are there already. */
import { type Point, type Rect, reach, stretches } from "./geometry.ts";
import { type Page, PITCH, type Placed } from "./place.ts";
import type { Arrow } from "./story.ts";

/** One arrow as it is drawn. */
export interface Routed {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label?: Rect | undefined;
}

/** Room around the page, in steps. */
const EDGE = 8;

export const isFrame = ({ box }: Placed): boolean => box.boxes.length > 0;
export const isIn = (path: string, frame: string): boolean => path === frame || path.startsWith(`${frame}.`);

export class Grid {
  readonly w: number;
  readonly h: number;
  readonly placed: readonly Placed[];
  /** Boxes, words of frames and panels: no line goes here. */
  readonly hard: Uint8Array;
  /** 2: a border of a frame lies along here, 1: it is next to it. Borders are crossed, never followed. */
  readonly alongH: Uint8Array;
  readonly alongV: Uint8Array;
  readonly linesH: Int16Array;
  readonly linesV: Int16Array;
  readonly bends: Int16Array;
  readonly words: Int16Array;

  constructor(page: Page) {
    this.w = Math.ceil(page.w / PITCH) + 2 * EDGE;
    this.h = Math.ceil(page.h / PITCH) + 2 * EDGE;
    const size = this.w * this.h;
    this.placed = [...page.placed.values()];
    [this.hard, this.alongH, this.alongV] = [new Uint8Array(size), new Uint8Array(size), new Uint8Array(size)];
    [this.linesH, this.linesV] = [new Int16Array(size), new Int16Array(size)];
    [this.bends, this.words] = [new Int16Array(size), new Int16Array(size)];
    for (const each of this.placed)
      this.fill(this.hard, isFrame(each) ? each.head : each.rect, isFrame(each) ? 0 : PITCH - 1);
    for (const panel of [page.note, page.legend]) this.fill(this.hard, panel, PITCH - 1);
    for (const each of this.placed.filter(isFrame)) this.#border(each.rect);
  }

  /** Of a point in steps, which may lie beside the page. */
  at(x: number, y: number): number {
    return (y + EDGE) * this.w + x + EDGE;
  }

  /** The point of an index, in steps. */
  pointAt(index: number): Point {
    return { x: (index % this.w) - EDGE, y: Math.floor(index / this.w) - EDGE };
  }

  isInside(index: number): boolean {
    const [x, y] = [index % this.w, Math.floor(index / this.w)];
    return x >= 1 && y >= 1 && x < this.w - 1 && y < this.h - 1;
  }

  hasLine(index: number): boolean {
    return (this.linesH[index] ?? 0) + (this.linesV[index] ?? 0) > 0;
  }

  /** Every index in a rectangle that is grown on all sides, px. */
  cells({ x, y, w, h }: Rect, grow: number): number[] {
    const found: number[] = [];
    for (let gy = Math.ceil((y - grow) / PITCH); gy <= Math.floor((y + h + grow) / PITCH); gy++)
      for (let gx = Math.ceil((x - grow) / PITCH); gx <= Math.floor((x + w + grow) / PITCH); gx++)
        found.push(this.at(gx, gy));
    return found;
  }

  fill(into: Uint8Array, rect: Rect, grow: number, value = 1): void {
    for (const index of this.cells(rect, grow)) into[index] = value;
  }

  /** Puts a line and its words on the page, or takes them away. The happy path counts twice: others rather go round it. */
  mark({ arrow, points, label }: Routed, sign: 1 | -1): void {
    const by = sign * (arrow.ink === "happy" ? 2 : 1);
    for (const stretch of stretches(points)) {
      const lines = stretch.from.x === stretch.to.x ? this.linesV : this.linesH;
      for (const { x, y } of pointsOn(stretch)) add(lines, this.at(x, y), by);
    }
    for (const { x, y } of points.slice(1, -1)) add(this.bends, this.at(x / PITCH, y / PITCH), by);
    if (label) for (const index of this.cells(label, 3)) add(this.words, index, by);
  }

  #border({ x, y, w, h }: Rect): void {
    const [right, bottom] = [x + w, y + h];
    const flat = [y, bottom].flatMap((at) => pointsOn({ from: { x, y: at }, to: { x: right, y: at } }));
    const tall = [x, right].flatMap((at) => pointsOn({ from: { x: at, y }, to: { x: at, y: bottom } }));
    for (const near of [-1, 0, 1]) {
      const worth = near === 0 ? 2 : 1;
      for (const point of flat) atLeast(this.alongH, this.at(point.x, point.y + near), worth);
      for (const point of tall) atLeast(this.alongV, this.at(point.x + near, point.y), worth);
    }
  }
}

/** The steps of a stretch, both ends too. */
function pointsOn({ from, to }: { from: Point; to: Point }): Point[] {
  const [dx, dy] = [Math.sign(to.x - from.x), Math.sign(to.y - from.y)];
  const count = Math.floor(reach({ from, to }) / PITCH);
  return Array.from({ length: count + 1 }, (_, n) => ({ x: from.x / PITCH + dx * n, y: from.y / PITCH + dy * n }));
}

function add(into: Int16Array, index: number, by: number): void {
  into[index] = (into[index] ?? 0) + by;
}

function atLeast(into: Uint8Array, index: number, value: number): void {
  into[index] = Math.max(into[index] ?? 0, value);
}
