/**
 * The environment that a user gave an app: his values, then the template's defaults for names that he did not set. Checked
 * when it comes; what no container could take is told and left out, and spoils nothing else.
 */
import * as z from "zod";

/** Names of the agent's own: a credential that an app could forge would be none. */
const RESERVED = /^(APP_AUTH_ID|APP_AUTH_SECRET|INSTANCE_KEY|DEVICE_SECRET)$/;
/** What every shell, `docker run -e` and a file name can take. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
const MOST_NAMES = 1_000;
const LONGEST_VALUE = 256 * 1024;

const Plain = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Given = z.record(z.string(), z.object({ value: Plain.nullish() }));
const Template = z.record(z.string(), z.object({ defaultValue: Plain.nullish() }));

export interface AppEnvironment {
  readonly values: Readonly<Record<string, string>>;
  /** One sentence for each name that was left out. No value is in it. */
  readonly left: readonly string[];
}

/** @returns undefined where it is not of its kind. */
export function environmentOf(given: unknown, template: unknown): AppEnvironment | undefined {
  const [set, defaults] = [Given.safeParse(given ?? {}), Template.safeParse(template ?? {})];
  if (!set.success || !defaults.success) return undefined;
  const entries = [
    ...Object.entries(defaults.data).map(([name, { defaultValue }]) => [name, defaultValue] as const),
    ...Object.entries(set.data).map(([name, { value }]) => [name, value] as const),
  ].filter((entry): entry is readonly [string, string] => typeof entry[1] === "string");
  const wanted = new Map(entries);
  const values: Record<string, string> = {};
  const left: string[] = [];
  for (const [name, value] of [...wanted].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const why = whyNot(name, value, Object.keys(values).length);
    if (why === undefined) values[name] = value;
    else left.push(`${JSON.stringify(name.slice(0, 60))} ${why}`);
  }
  return { values, left };
}

function whyNot(name: string, value: string, before: number): string | undefined {
  if (RESERVED.test(name)) return "belongs to the agent";
  if (!NAME.test(name)) return "is no name of a variable";
  if (value.includes("\0")) return "has a value with a NUL, which no container takes";
  if (value.length > LONGEST_VALUE) return "has a value of more than 256 KiB";
  return before >= MOST_NAMES ? `comes after ${MOST_NAMES} others` : undefined;
}

/** 53 bits of a text, to tell it from another one; no secret can be hidden or proven by it. After FNV-1a. */
export function markOf(text: string): string {
  let [high, low] = [0x811c9dc5, 0xcbf29ce4];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ (code + at), 0x85ebca6b);
  }
  return ((high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff)).toString(36);
}
