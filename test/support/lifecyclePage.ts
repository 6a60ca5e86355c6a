/** docs/lifecycle.md: the life of an app, for operators and app developers. */
import { ERROR_CODES, type ErrorCode, errorRow } from "../../src/model/errors.ts";
import { outcomesIn, REQUESTS, STATES } from "../../src/model/outcomes.ts";
import { STATE_WORDS } from "../../src/model/stateWords.ts";

/** What can end in FAILED, or keep a version from being run. */
const OF_APPS: readonly ErrorCode[] = ERROR_CODES.filter(
  (code) =>
    /^(image_|container_|engine_|registry_|bad_configuration|storage_failed)/.test(code) &&
    code !== "engine_unreachable",
);

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const head = (cells: readonly string[]): string => `${row(cells)}\n${row(cells.map(() => "---"))}`;
const AGAIN = { "with backoff": "yes", slowly: "yes", "when it is back": "yes", "on request": "no" } as const;

const states = STATES.map((state) => row([`\`${state}\``, STATE_WORDS[state].says, STATE_WORDS[state].wire]));
const outcomes = STATES.map((state) => row([`\`${state}\``, ...outcomesIn(state)]));
const reasons = OF_APPS.map((code) => {
  const { says, todo, retry } = errorRow(code);
  return row([`\`${code}\``, says, todo, AGAIN[retry]]);
});

export const lifecyclePage = (): string => `# The life of an app

For operators and for people who write apps. What is wanted of an app is said in the studio; the device brings it there and keeps it there, with a network or without. The tables are
made from the code by \`npm run docs\`, the picture from the machine by \`npm run diagrams\`.

![The life of one app](../diagrams/app.svg)

## Where an app can be

${head(["state", "it is", "the studio shows"])}
${states.join("\n")}

\`reagent status\` shows these words. After a start of the agent, and whenever the engine was away, an app is unsure until the engine was looked at: what runs and is as it is wanted runs on untouched.

## What becomes of a request

Every request is kept on disk before it is answered, and none is lost: the last one counts, whatever is going on. The caller is told when it is taken up.

${head(["state", ...REQUESTS])}
${outcomes.join("\n")}

\`done\`: it is so already. \`now\`: taken up at once. \`after\`: when the step in progress is over. \`cancels\`: at once, which breaks off the step in progress; a download really ends in the engine. \`refused\`: nothing changes.
\`update\` is \`run\` with another version; it is "done" where nothing has to be done for it. \`cancel\` brings back the version that was here before, or removes an app that was not here. \`retry\` and \`hold\` are refused where nothing waits.
Another environment, other ports or other keys than the container was made for replace the container, once. BUILT and PUBLISHED are refused: this agent builds no images yet.

## Updates, with a way back

While the new image comes, the old version runs. Then the old container is stopped and put aside (it is called \`<name>.previous\` meanwhile), and a new one takes its place: that is all of the down time. The new version is on probation: it is
through when its health check says healthy, or, without one, when it has been up for \`update.probation\` (30 s). Then the old container and every older image go.

If the new version ends, cannot be made or started, or is not healthy, the old container comes back as it was. The new version is *set aside*: it is shown, and not tried again until somebody asks for it or a newer one comes. A version that cannot be downloaded is
set aside until the next try where a later one may help. A kill of the agent, a power loss or a restart of the engine at any moment ends the same way; the probation then begins anew, for nobody knows why a container ended that nobody watched.

**\`/data\` stays as it is.** An app that migrates its data when it starts must be able to start in the older version afterwards, or keep a copy of its own: going back does not bring back old data.
One that cannot says so with the label \`reagent.way-back=off\`: once such a version ran, it is not taken back; if it fails, it is FAILED and tried again like any other.

An app that fails while a newer version is wanted does not keep it out: after its second failure in a row, or when the newer version is asked for while it waits, the newer one is tried at once.

With \`update.strategy\` \`stop-then-download\` the old version is stopped before the download, for devices where both do not fit beside each other; if the download fails, the old one runs again.

A stopped app is updated by the download alone. It is on probation at its next start.

## When it fails

FAILED has a reason, which stands in \`reagent status\` and in the app's log. What may get better by itself is tried again: after 5 s, 20 s, 45 s and so on (5 s times the square of the failures in a row, give or take a fifth, at most an hour). Ten minutes up, or any new request, begin anew.
Development apps are never tried again by themselves.

    reagent retry <app>   tries it now, also a version that was set aside
    reagent hold <app>    stops trying until somebody asks

${head(["code", "reason", "what to do", "tried again by itself"])}
${reasons.join("\n")}

\`engine_unreachable\` is no failure of an app: it is unsure meanwhile, and goes on when the engine is back.

The exit code of a container, the signal that ended it, and whether it ran out of memory are part of the reason; so are the last words of a health check. A container that is removed, stopped or killed by hand is FAILED and made anew; one that is paused by hand is resumed; one that
is started by hand while it shall not run is stopped.

A container that calls itself unhealthy later than 30 s after its start is stopped, is FAILED, and is made anew after the wait. How many checks in a row have to fail says the setting \`containers.unhealthyChecks\`, else the image (\`HEALTHCHECK --retries\`).

## What an image can say

${head(["label", "values", "meaning"])}
| \`reagent.restart\` | \`always\` (default), \`on-failure\`, \`no\` | what follows when the container ends by itself. It is FAILED in each case, as in the original; with \`on-failure\` an exit code of 0, with \`no\` every end, is final until somebody asks |
| \`reagent.health\` | \`off\` | nobody acts on the health check |
| \`reagent.way-back\` | \`off\` | once this version ran, no older one can run with its data: it is not taken back |
| \`reagent.stop-grace\` | seconds, 0 to 600 | how long the container may take to end; else the image's own stop timeout, else \`containers.stopGrace\` |

Labels that begin with \`io.reagent.\` belong to the agent: an image that brings one is refused.

## What goes when

| | container | images | \`/data\` | ports of the host |
| --- | --- | --- | --- | --- |
| stopped (PRESENT) | goes | stay | stay | stay its own |
| removed (REMOVED) | goes | go | stay | free |
| uninstalled (UNINSTALLED) | goes | go | go | free |
| no longer in the studio's list | goes | go | stay | free |
`;
