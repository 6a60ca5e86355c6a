/** The status for eyes: what runs, what does not, why, and what happens next. At most 100 columns wide where it can be. */
import type { AppStatus, Status } from "../model/status.ts";
import { plainLine } from "../model/terminal.ts";

const COLUMNS = 100;

/** Lines for a terminal. What comes from a wire or an app is hostile text: no control characters get through. */
export function statusScreen(status: Status, now: number): string[] {
  const { version, pid, since, serial, home, link, engine, apps, problems } = status;
  return [
    `reagent ${version}, device ${serial}, process ${pid}, up ${span(now - since)}`,
    `home     ${home}`,
    ...linkWords(link, now),
    `engine   ${engineWords(engine, now)}`,
    ...takenOverWords(status.takenOver),
    "",
    ...(apps.length === 0 ? ["no apps"] : appTable(apps, now)),
    ...(problems.length === 0 ? [] : ["", "problems"]),
    ...problems.map(({ about, says, since: from }) => cut(`  ${about}: ${says} (${span(now - from)})`)),
  ].map((text) => plainLine(text));
}

/** While it waits: why, what to do about it, and what exactly was said. */
function linkWords({ state, since, url, because, says, todo, detail, retryAt }: Status["link"], now: number): string[] {
  const last = state.split(".").at(-1) ?? state;
  if (last === "online") return [`link     online since ${span(now - since)}, ${url}`];
  if (!state.startsWith("waiting")) return [`link     ${last}, ${url}`];
  const next = retryAt === undefined ? "" : `, next try ${inSpan(retryAt - now)}`;
  return [
    `link     ${last}${because ? `: ${says ?? because}` : ""}${next}`,
    `         ${url}`,
    ...(because ? [cut(`         ${[because, detail].filter(Boolean).join(": ")}`)] : []),
    ...(todo ? [`         ${todo}`] : []),
  ];
}

function takenOverWords(takenOver: Status["takenOver"]): string[] {
  if (!takenOver) return [];
  const { at, apps, skipped } = takenOver;
  const count = apps.length === 1 ? "1 app" : `${apps.length} apps`;
  return [
    `original ${count} taken over on ${new Date(at).toISOString().slice(0, 10)}${skipped.length > 0 ? ", but not" : ""}`,
    ...skipped.map(({ app, why }) => cut(`         ${app}: ${why}`)),
  ];
}

function engineWords({ state, since, socket, because, retryAt }: Status["engine"], now: number): string {
  if (state === "watched.live") return `there since ${span(now - since)}, ${socket}`;
  const next = retryAt === undefined ? "" : `, next look ${inSpan(retryAt - now)}`;
  return `${state === "waiting" ? "away" : "looking"}${because ? `: ${because}` : ""}${next}, ${socket}`;
}

function appTable(apps: readonly AppStatus[], now: number): string[] {
  const rows = apps.map((app) => [
    `${app.stage}:${app.key}`,
    app.name,
    app.target,
    app.state,
    app.version,
    span(now - app.since),
  ]);
  const head = ["app", "name", "wanted", "is", "version", "since"];
  const widths = head.map((word, at) => Math.max(word.length, ...rows.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]) =>
    cut(row.map((word, at) => word.padEnd(widths[at] ?? 0)).join("  ")).trimEnd();
  return [
    line(head),
    ...apps.flatMap((app, at) => [line(rows[at] ?? []), ...versionWords(app, now), ...failure(app, now)]),
  ];
}

/** Where what is here is not what is wanted, or has not proven itself yet. */
function versionWords({ version, here, setAside, wayBack }: AppStatus, now: number): string[] {
  if (setAside?.version === version) {
    const next =
      setAside.until === undefined ? "tried again when asked for" : `next try ${inSpan(setAside.until - now)}`;
    return [cut(`  ${here ? `${here} is here. ` : ""}${version} is set aside: ${setAside.says}; ${next}`)];
  }
  if (here === undefined || (here === version && wayBack === undefined)) return [];
  const back = wayBack === undefined || wayBack === here ? "" : `; the way back is ${wayBack}`;
  return [cut(`  version ${here} is here${back}`)];
}

/** Why it is not as it should be, what to do, and what happens by itself. */
function failure({ error, failures, retryAt }: AppStatus, now: number): string[] {
  if (!error || failures === 0) return [];
  const times = failures === 1 ? "once" : `${failures} times in a row`;
  const next = retryAt === undefined ? "" : `; next try ${inSpan(retryAt - now)}`;
  return [cut(`  failed ${times}: ${error.says}${next}`), cut(`  ${error.todo}`)];
}

const inSpan = (ms: number): string => (ms <= 0 ? "now" : `in ${span(ms)}`);

/** `3 s`, `4 m`, `2 h`, `5 d`: the largest whole unit says enough. */
export function span(ms: number): string {
  const seconds = Math.max(Math.round(ms / 1_000), 0);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const cut = (text: string): string => plainLine(text, COLUMNS);
