/** Rectangles and lines -> SVG. Boxes carry data-state, arrows data-from and data-to: the live page only toggles classes. */

import type { Point, Rect } from "./geometry.ts";
import type { Routed } from "./grid.ts";
import type { Layout, Phase } from "./layout.ts";
import { badgeWidth, LINE, type Page, PITCH, type Placed, place, TEXT, widthOf } from "./place.ts";
import { type Routing, route } from "./route.ts";
import type { Ink, Line, Story } from "./story.ts";

const PHASES: Record<Phase, { fill: string; frame: string; line: string; what: string }> = {
  unsure: { fill: "#efefef", frame: "#f8f8f8", line: "#6f6f6f", what: "not known yet" },
  gone: { fill: "#e9e4da", frame: "#f6f3ed", line: "#8a7a5c", what: "nothing here" },
  coming: { fill: "#dcecfb", frame: "#f0f7fd", line: "#2f74b5", what: "on its way" },
  up: { fill: "#d6f0d9", frame: "#f1faf2", line: "#2e8b46", what: "up" },
  updating: { fill: "#e6defa", frame: "#f5f1fd", line: "#6c4bb8", what: "being updated" },
  going: { fill: "#fdebcf", frame: "#fef7ea", line: "#c07f17", what: "on its way out" },
  trouble: { fill: "#fbdcdc", frame: "#fdf0f0", line: "#c23232", what: "in trouble" },
};
const TIMED = 'stroke-dasharray="7 3"';
const INKS: Record<Ink, { colour: string; style: string; what: string }> = {
  happy: { colour: "#1d7a38", style: 'stroke-width="3.6"', what: "the way it should go" },
  plan: { colour: "#3d4752", style: 'stroke-width="1.3"', what: "asked for, or a step is done" },
  time: { colour: "#1a5fb4", style: `stroke-width="1.4" ${TIMED}`, what: "time is up" },
  trouble: { colour: "#c01c28", style: 'stroke-width="1.1"', what: "something went wrong" },
};
const HUB = "?";
const esc = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const text = (x: number, y: number, said: string, more = "") => `<text x="${x}" y="${y}" ${more}>${esc(said)}</text>`;
/** All that is drawn, and some air. */
function bounds(page: Page, { routed }: Routing) {
  const air = 2 * PITCH;
  const points = routed.flatMap((each) => [
    ...each.points,
    ...(each.label ? [{ x: each.label.x + each.label.w, y: each.label.y + each.label.h }, each.label] : []),
  ]);
  const x = Math.min(0, ...points.map((point) => point.x - air));
  const y = Math.min(0, ...points.map((point) => point.y - air));
  const right = Math.max(page.w, ...points.map((point) => point.x + air));
  const bottom = Math.max(page.h, ...points.map((point) => point.y + air));
  return {
    x: Math.floor(x),
    y: Math.floor(y),
    w: Math.ceil(right - Math.floor(x)),
    h: Math.ceil(bottom - Math.floor(y)),
  };
}
const box = ({ x, y, w, h }: Rect, more: string) => `<rect x="${x}" y="${y}" width="${w}" height="${h}" ${more}/>`;

function badge(x: number, y: number, said: string, colour: string): string {
  const w = badgeWidth(said);
  return `${box({ x, y, w, h: 13 }, `rx="6.5" fill="${colour}"`)}${text(x + w / 2, y + 9.8, said, `class="badge" text-anchor="middle"`)}`;
}
const rowText = (x: number, y: number, { text: said, ink }: Line, more = "") =>
  text(x, y, said, `class="row" fill="${INKS[ink].colour}" ${more}`);
const mark = (x: number, y: number, said: string, colour: string, title: string, ink = colour, fill = "#fff") =>
  `<g class="mark"><title>${esc(title)}</title><circle cx="${x}" cy="${y}" r="7" fill="${fill}" stroke="${colour}"/>${text(x, y + 3.6, said, `class="glyph" text-anchor="middle" fill="${ink}"`)}</g>`;

function frame({ box: { path, name, phase, badges, effect, rows }, rect }: Placed): string {
  const { frame: fill, line } = PHASES[phase];
  let x = rect.x + 10 + widthOf(name, TEXT.title, true) + 8;
  const pills = badges.map((said) => {
    const pill = badge(x, rect.y + 6, said, line);
    x += badgeWidth(said) + 4;
    return pill;
  });
  if (effect) pills.push(text(x, rect.y + 17, effect, 'class="effect"'));
  const lines = rows.map((row, i) => rowText(rect.x + 10, rect.y + 31 + i * LINE.row, row));
  return `<g class="state frame ${phase}" data-state="${esc(path)}">${box(rect, `rx="10" fill="${fill}" stroke="${line}"`)}${text(rect.x + 10, rect.y + 17, name, 'class="name"')}${pills.join("")}${lines.join("")}</g>`;
}

function leaf({ box: { path, name, phase, badges, effect, rows, isHub, isHubTarget, mayFail }, rect }: Placed): string {
  const { fill, line } = PHASES[phase];
  const middle = rect.x + rect.w / 2;
  const used = 20 + badges.length * LINE.badge + (effect ? LINE.effect : 0) + rows.length * LINE.row;
  let y = rect.y + (rect.h - used) / 2 + 14;
  const parts = [
    box(rect, `rx="7" fill="${fill}" stroke="${line}"`),
    text(middle, y, name, 'class="name" text-anchor="middle"'),
  ];
  for (const said of badges) {
    parts.push(badge(middle - badgeWidth(said) / 2, y + 6, said, line));
    y += LINE.badge;
  }
  if (effect) {
    y += LINE.effect;
    parts.push(text(middle, y, effect, 'class="effect" text-anchor="middle"'));
  }
  for (const row of rows) {
    y += LINE.row;
    parts.push(rowText(middle, y, row, 'text-anchor="middle"'));
  }
  if (isHubTarget) parts.push(mark(rect.x, rect.y, HUB, "#555", "the hub may lead here, if the facts say so"));
  if (isHub)
    parts.push(mark(rect.x + rect.w, rect.y, HUB, "#555", "leads to every state with this mark", "#fff", "#555"));
  if (mayFail) parts.push(mark(rect.x + rect.w, rect.y + rect.h, "!", INKS.trouble.colour, "may fail: see the note"));
  return `<g class="state ${phase}" data-state="${esc(path)}">${parts.join("")}</g>`;
}

/** A line with round corners that stops short of its arrow's tip. */
function pathOf(points: readonly Point[], isThick: boolean): string {
  const end = points.at(-1);
  const before = points.at(-2);
  if (!end || !before) return "";
  const back = isThick ? 6 : 4;
  const tip = { x: end.x - Math.sign(end.x - before.x) * back, y: end.y - Math.sign(end.y - before.y) * back };
  const all = [...points.slice(0, -1), tip];
  return all
    .map((point, i) => {
      const [a, b] = [all[i - 1], all[i + 1]];
      if (!a) return `M${point.x} ${point.y}`;
      if (!b) return `L${point.x} ${point.y}`;
      const near = (to: Point) => {
        const reach = Math.abs(to.x - point.x) + Math.abs(to.y - point.y);
        const r = Math.min(6, reach / 2);
        return `${point.x + Math.sign(to.x - point.x) * r} ${point.y + Math.sign(to.y - point.y) * r}`;
      };
      return `L${near(a)}Q${point.x} ${point.y} ${near(b)}`;
    })
    .join("");
}

function line({ arrow: { from, to, target, ink, isTimed, title }, points }: Routed): string {
  const { colour } = INKS[ink];
  const style = INKS[ink].style + (isTimed && ink !== "time" ? ` ${TIMED}` : "");
  return `<g class="arrow ${ink}" data-from="${esc(from)}" data-to="${esc(target)}" data-into="${esc(to)}"><title>${esc(title || "done")}</title><path d="${pathOf(points, ink === "happy")}" fill="none" stroke="${colour}" ${style} marker-end="url(#tip-${ink})"/></g>`;
}
function label({ arrow: { from, target, lines }, label: rect }: Routed, frames: readonly Placed[]): string {
  if (!rect) return "";
  const under = frames
    .filter(
      ({ rect: { x, y, w, h } }) => rect.x >= x && rect.y >= y && rect.x + rect.w <= x + w && rect.y + rect.h <= y + h,
    )
    .at(-1);
  const fill = under ? PHASES[under.box.phase].frame : "#fff";
  const said = lines.map(({ text: each, ink }, i) =>
    text(rect.x + rect.w / 2, rect.y + 11.5 + i * LINE.label, each, `text-anchor="middle" fill="${INKS[ink].colour}"`),
  );
  return `<g class="label" data-from="${esc(from)}" data-to="${esc(target)}">${box(rect, `rx="3" fill="${fill}"`)}${said.join("")}</g>`;
}

const NOTED = "Noted anywhere; states act on it when they may";

type Panel = { w: number; h: number; paint: (at: Rect) => string };

function notePanel({ rules, noted }: Story, { noted: heading = NOTED }: Layout): Panel {
  const lines = [
    { said: "From anywhere", isHead: true, ink: "plan" as Ink },
    ...rules.map((rule) => ({ said: rule.text, isHead: false, ink: rule.ink })),
    { said: heading, isHead: true, ink: "plan" as Ink },
    ...noted.map((rule) => ({ said: rule.text, isHead: false, ink: rule.ink })),
  ].filter(({ isHead, said }) => !isHead || (said === "From anywhere" ? rules : noted).length > 0);
  return {
    w: Math.max(...lines.map(({ said, isHead }) => widthOf(said, isHead ? 12 : TEXT.row, isHead))) + 24,
    h: lines.length * 15 + 14,
    paint: (at) =>
      `<g class="note">${box(at, 'rx="2" fill="#fffbe0" stroke="#c9b458"')}${lines.map(({ said, isHead, ink }, i) => text(at.x + 10, at.y + 19 + i * 15, said, isHead ? 'class="head"' : `class="row" fill="${INKS[ink].colour}"`)).join("")}</g>`,
  };
}

function legendPanel({ boxes, arrows }: Story): Panel {
  const flat = (list: Story["boxes"]): Story["boxes"] => list.flatMap((each) => [each, ...flat(each.boxes)]);
  const all = flat(boxes);
  const phases = (Object.keys(PHASES) as Phase[]).filter((phase) => all.some((each) => each.phase === phase));
  const inks = (Object.keys(INKS) as Ink[]).filter((ink) =>
    arrows.some((arrow) => arrow.ink === ink || arrow.lines.some((each) => each.ink === ink)),
  );
  const hub = all.find(({ isHub }) => isHub);
  const marks = [
    ...(hub ? [{ said: HUB, what: `may be entered from ${hub.name}`, colour: "#555" }] : []),
    ...(all.some(({ mayFail }) => mayFail)
      ? [{ said: "!", what: "may fail: see the note", colour: INKS.trouble.colour }]
      : []),
  ];
  const hasBadges = all.some(({ badges }) => badges.length > 0);
  const rowsOf = Math.max(phases.length, inks.length + marks.length + (hasBadges ? 2 : 1));
  return {
    w: 420,
    h: rowsOf * 17 + 14,
    paint: (at) => {
      const second = at.x + 145;
      const y = (i: number) => at.y + 19 + i * 17;
      const parts = [box(at, 'rx="2" fill="#fff" stroke="#bbb"')];
      phases.forEach((phase, i) => {
        parts.push(
          box(
            { x: at.x + 10, y: y(i) - 10, w: 20, h: 13 },
            `rx="3" fill="${PHASES[phase].fill}" stroke="${PHASES[phase].line}"`,
          ),
          text(at.x + 38, y(i), PHASES[phase].what, 'class="row"'),
        );
      });
      inks.forEach((ink, i) => {
        parts.push(
          `<path d="M${second} ${y(i) - 4}h34" fill="none" stroke="${INKS[ink].colour}" ${INKS[ink].style} marker-end="url(#tip-${ink})"/>`,
          text(second + 48, y(i), INKS[ink].what, 'class="row"'),
        );
      });
      marks.forEach(({ said, what, colour }, i) => {
        parts.push(
          mark(second + 18, y(inks.length + i) - 4, said, colour, what),
          text(second + 48, y(inks.length + i), what, 'class="row"'),
        );
      });
      let next = inks.length + marks.length;
      if (hasBadges)
        parts.push(
          badge(second, y(next) - 10, "NAME", "#6f6f6f"),
          text(second + 48, y(next), "what the back end is told", 'class="row"'),
        );
      if (hasBadges) next += 1;
      parts.push(
        text(second, y(next), "effect()", 'class="effect"'),
        text(second + 48, y(next), "what is done here; leaving the state ends it", 'class="row"'),
      );
      return `<g class="legend">${parts.join("")}</g>`;
    },
  };
}

const STYLE = `text{font-family:Helvetica,Arial,"Liberation Sans",sans-serif;fill:#1b1b1b}text[fill]{fill:revert-layer}.name{font-size:14px;font-weight:bold}.row,.effect{font-size:11.5px}.effect{font-style:italic;fill:#444}.badge{font-size:9.5px;font-weight:bold;fill:#fff}.glyph{font-size:10px;font-weight:bold}.head{font-size:12px;font-weight:bold}.label text{font-size:12px}.title{font-size:16px;font-weight:bold}.state.active>rect:first-child{stroke-width:4;filter:drop-shadow(0 0 5px #2e8b46)}.arrow.taken path{stroke-width:5}`;

export function paint(story: Story, layout: Layout): { svg: string; routing: Routing; size: { w: number; h: number } } {
  const [note, legend] = [notePanel(story, layout), legendPanel(story)];
  const page = place(story, layout, note, legend);
  const routing = route(page, story.arrows, layout);
  const view = bounds(page, routing);
  const isFrame = (each: Placed) => each.box.boxes.length > 0;
  const depth = (each: Placed) => each.box.path.split(".").length;
  const placed = [...page.placed.values()];
  const frames = placed.filter(isFrame).sort((a, b) => depth(a) - depth(b));
  const start = page.placed.get(story.start)?.rect;
  const tips = (Object.keys(INKS) as Ink[]).map((ink) => {
    const size = ink === "happy" ? 15 : 10;
    return `<marker id="tip-${ink}" viewBox="0 0 10 10" refX="5" refY="5" markerUnits="userSpaceOnUse" markerWidth="${size}" markerHeight="${size}" orient="auto"><path d="M0 .5L10 5L0 9.5z" fill="${INKS[ink].colour}"/></marker>`;
  });
  const all = [...routing.routed].sort((a, b) => Number(a.arrow.ink === "happy") - Number(b.arrow.ink === "happy"));
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${view.x} ${view.y} ${view.w} ${view.h}" width="${view.w}" height="${view.h}" data-machine="${esc(story.id)}">`,
    `<style>${STYLE}</style><defs>${tips.join("")}</defs>${box(view, 'fill="#fff"')}`,
    text(3 * PITCH, 26, layout.title, 'class="title"'),
    ...frames.map(frame),
    ...all.map(line),
    ...placed.filter((each) => !isFrame(each)).map(leaf),
    ...(start
      ? [
          `<g class="start"><circle cx="${start.x - 16}" cy="${start.y + 14}" r="5" fill="#1b1b1b"/><path d="M${start.x - 12} ${start.y + 14}h8" stroke="#1b1b1b" stroke-width="1.3" marker-end="url(#tip-plan)"/></g>`,
        ]
      : []),
    ...all.map((each) => label(each, frames)),
    note.paint(page.note),
    legend.paint(page.legend),
    "</svg>",
  ];
  return { svg: `${svg.filter(Boolean).join("\n")}\n`, routing, size: view };
}
