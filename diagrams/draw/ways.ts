/** The way of one arrow over the grid: the cheapest (Dijkstra). Two runs give the same way. */
import { corners, type Point } from "./geometry.ts";
import { type Grid, isFrame, isIn } from "./grid.ts";
import { Heap } from "./heap.ts";
import type { Layout, Side } from "./layout.ts";
import { PITCH, type Placed } from "./place.ts";
import type { Arrow } from "./story.ts";

const SIDES: readonly Side[] = ["E", "S", "W", "N"];
const STEP = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;
/** None, right, left. */
const TURNS = [0, 1, 3] as const;
const COST = {
  step: 10,
  bend: 70,
  crossing: 160,
  shared: 4000,
  near: 14,
  border: 30,
  word: 300,
  touch: 1500,
  offCentre: 3,
};

/** Where a line may leave or enter a box, in steps. */
interface Port extends Point {
  readonly side: number;
  readonly cost: number;
}

/** A cell of the grid with the direction in which it was entered. */
type Pose = number;

export class Ways {
  readonly #grid: Grid;
  readonly #layout: Layout;

  constructor(grid: Grid, layout: Layout) {
    this.#grid = grid;
    this.#layout = layout;
  }

  /** Undefined where there is none. */
  find(arrow: Arrow): Point[] | undefined {
    const [from = "-", to = "-"] = this.#layout.sides?.[`${arrow.from}>${arrow.to}`] ?? "--";
    const forbidden = this.#forbidden(arrow);
    const starts = this.#open(arrow.from, from, forbidden, (port, second) => second * 4 + port.side);
    const goals = this.#open(arrow.to, to, forbidden, (port, second) => second * 4 + ((port.side + 2) % 4));
    const { end, came } = this.#search(starts, goals, forbidden);
    return end === undefined ? undefined : this.#pointsTo(end, came, starts, goals);
  }

  #search(starts: ReadonlyMap<Pose, Port>, goals: ReadonlyMap<Pose, Port>, forbidden: Uint8Array) {
    const size = this.#grid.w * this.#grid.h * 4;
    const best = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    const came = new Int32Array(size).fill(-1);
    const closed = new Uint8Array(size);
    const heap = new Heap();
    const reachIt = (pose: Pose, cost: number, before: Pose) => {
      if (cost >= (best[pose] ?? 0)) return;
      best[pose] = cost;
      came[pose] = before;
      heap.push(cost, pose);
    };
    for (const [pose, { cost }] of starts) reachIt(pose, cost, -1);
    let end: Pose | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let pose = heap.pop(); pose !== undefined; pose = heap.pop()) {
      const cost = best[pose] ?? 0;
      if (cost >= least) break;
      if (closed[pose]) continue;
      closed[pose] = 1;
      const whole = cost + (goals.get(pose)?.cost ?? Number.POSITIVE_INFINITY);
      if (whole < least) [end, least] = [pose, whole];
      this.#eachNext(pose, forbidden, (next, price) => reachIt(next, cost + price, pose));
    }
    return { end, came };
  }

  #pointsTo(
    end: Pose,
    came: Int32Array,
    starts: ReadonlyMap<Pose, Port>,
    goals: ReadonlyMap<Pose, Port>,
  ): Point[] | undefined {
    const poses = [end];
    for (let pose = came[end] ?? -1; pose >= 0; pose = came[pose] ?? -1) poses.unshift(pose);
    const [first, last] = [starts.get(poses[0] ?? -1), goals.get(end)];
    if (!first || !last) return undefined;
    const cells = poses.map((pose) => this.#grid.pointAt(pose >> 2));
    return corners([first, ...cells, last].map(({ x, y }) => ({ x: x * PITCH, y: y * PITCH })));
  }

  /** Nothing goes through a frame that it does not concern, and what begins and ends in a frame stays in it. */
  #forbidden({ from, to }: Arrow): Uint8Array {
    const grid = this.#grid;
    const forbidden = new Uint8Array(grid.hard);
    for (const { box, rect } of grid.placed.filter(isFrame)) {
      const [isFromIn, isToIn] = [isIn(from, box.path), isIn(to, box.path)];
      if (from !== box.path && isFromIn && isToIn) this.#forbidAround(forbidden, rect);
      if (from === box.path || !(isFromIn || isToIn)) grid.fill(forbidden, rect, PITCH - 1);
    }
    return forbidden;
  }

  #forbidAround(forbidden: Uint8Array, rect: Placed["rect"]): void {
    const inner = new Set(this.#grid.cells(rect, 1 - PITCH));
    for (let i = 0; i < forbidden.length; i++) if (!inner.has(i)) forbidden[i] = 1;
  }

  /** Ports of a box that are free, by the pose in which a line stands two steps outside of it. */
  #open(
    path: string,
    only: string,
    forbidden: Uint8Array,
    poseOf: (port: Port, second: number) => Pose,
  ): Map<Pose, Port> {
    const grid = this.#grid;
    const found = new Map<Pose, Port>();
    for (const port of this.#portsOf(path, only)) {
      const [dx, dy] = STEP[port.side] ?? [0, 0];
      const stub = [1, 2].map((n) => grid.at(port.x + dx * n, port.y + dy * n));
      if (stub.some((i) => forbidden[i]) || grid.hasLine(grid.at(port.x, port.y))) continue;
      const blocked = stub.reduce(
        (sum, i) => sum + (grid.hasLine(i) ? COST.crossing : 0) + ((grid.words[i] ?? 0) > 0 ? COST.word : 0),
        0,
      );
      found.set(poseOf(port, stub[1] ?? 0), { ...port, cost: port.cost + blocked });
    }
    return found;
  }

  #portsOf(path: string, only: string): Port[] {
    const found = this.#grid.placed.find(({ box }) => box.path === path);
    if (!found) throw new Error(`no box for ${path}`);
    return SIDES.flatMap((name, side) => (only === "-" || only === name ? portsOn(found, side) : []));
  }

  /** The three poses that may follow, and what each costs. */
  #eachNext(pose: Pose, forbidden: Uint8Array, reachIt: (next: Pose, price: number) => void): void {
    const grid = this.#grid;
    const [index, direction] = [pose >> 2, pose & 3];
    for (const turn of TURNS) {
      const d = (direction + turn) % 4;
      const [dx, dy] = STEP[d] ?? [0, 0];
      const to = index + dy * grid.w + dx;
      if (!grid.isInside(to) || forbidden[to]) continue;
      const borders = dx !== 0 ? grid.alongH : grid.alongV;
      if (borders[to] === 2 && borders[index] === 2) continue;
      reachIt(to * 4 + d, this.#price(index, to, dx !== 0, turn !== 0));
    }
  }

  #price(index: number, to: number, isFlat: boolean, isTurn: boolean): number {
    const { linesH, linesV, alongH, alongV, bends, words, w } = this.#grid;
    let price = COST.step + COST.crossing * ((isFlat ? linesV : linesH)[to] ?? 0);
    price += isFlat ? besideOthers(linesH, index, to, w) : besideOthers(linesV, index, to, 1);
    if (isTurn) price += COST.bend + (this.#grid.hasLine(index) ? COST.touch : 0);
    if (has(bends, to)) price += COST.touch;
    if ((isFlat ? alongH : alongV)[to] === 1) price += COST.border;
    if (has(words, to)) price += COST.word;
    return price;
  }
}

/** Of a step on or next to lines that go the same way; `side` is the distance to the next row of the grid. */
function besideOthers(lines: Int16Array, index: number, to: number, side: number): number {
  const shared = has(lines, to) && has(lines, index) ? COST.shared : 0;
  const near = has(lines, to + side) || has(lines, to - side) ? COST.near : 0;
  return shared + near;
}

const has = (lines: Int16Array, at: number): boolean => (lines[at] ?? 0) > 0;

function portsOn(placed: Placed, side: number): Port[] {
  const { rect } = placed;
  const isTall = side % 2 === 0;
  const isAFrame = isFrame(placed);
  const length = isTall ? rect.h : rect.w;
  const first = Math.min(isAFrame ? 4 * PITCH : 2 * PITCH, Math.floor(length / 2 / PITCH) * PITCH);
  const across = [rect.x + rect.w, rect.y + rect.h, rect.x, rect.y][side] ?? 0;
  const count = Math.floor((length - 2 * first) / PITCH) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, n) => {
    const d = first + n * PITCH;
    const [x, y] = isTall ? [across, rect.y + d] : [rect.x + d, across];
    const offCentre = Math.abs(d - length / 2) / PITCH;
    return { x: x / PITCH, y: y / PITCH, side, cost: isAFrame ? 0 : offCentre * COST.offCentre };
  });
}
