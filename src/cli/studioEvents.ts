/** Events of a studio as lines for a terminal. What apps and devices say is hostile text: no control character gets through. */
import type { LogLine, StudioEvent } from "../model/studio.ts";

export function linesOf(event: StudioEvent): string[] {
  switch (event.type) {
    case "link.up":
      return ["the back end answers"];
    case "link.down":
      return [`the back end lost the router: ${event.because}`];
    case "device.status":
      return [`${event.device.name} is ${event.status}${event.session ? ` (session ${event.session})` : ""}`];
    case "device.described":
      return [`${event.device.name} is ${event.about.os}, ${event.about.arch}, agent ${event.about.agent_version}`];
    case "app.reported":
      return [`${event.device.name}: app ${event.report.app_key} is ${event.report.state}`];
    case "app.ports":
      return [`${event.device.name}: app ${event.report.app_key} has ${event.report.ports.length} port(s)`];
    case "log":
      return event.lines.flatMap((line) => wordsOf(line).map((words) => `${event.container} | ${words}`));
    case "problem":
      return [`problem: ${event.about}: ${event.because}`];
  }
}

function wordsOf(line: LogLine): string[] {
  if (line.is === "clear") return [];
  if (line.is === "progress") return [`${line.id} ${line.status} ${line.progress}`.trim()];
  return [line.text];
}
