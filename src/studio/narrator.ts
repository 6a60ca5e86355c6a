/** One line a happening: when, who, what. In colour for a terminal, plain otherwise. */

import { plainLine } from "../model/terminal.ts";

export type Tone = "good" | "bad" | "plain" | "step";

export interface Line {
  /** ms since 1970. */
  readonly at: number;
  readonly who: string;
  readonly says: string;
  readonly tone: Tone;
}

const COLOURS: Readonly<Record<Tone, string>> = { good: "32", bad: "31", plain: "0", step: "1;36" };
const LONGEST = 160;

/** `12:00:01.250  app:PROD:42    running`. What comes from a device or an app is hostile text: no control characters. */
export function narrate({ at, who, says, tone }: Line, isInColour: boolean): string {
  const time = new Date(at).toISOString().slice(11, 23);
  const what = plainLine(says, LONGEST);
  const line = `${who.padEnd(14)} ${tone === "step" ? `* ${what}` : what}`;
  return isInColour ? `\u001b[2m${time}\u001b[0m  \u001b[${COLOURS[tone]}m${line}\u001b[0m` : `${time}  ${line}`;
}
