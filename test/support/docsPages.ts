/** The pages of docs/ that are made from tables and schemas in the code: by `npm run docs`, and held to by a test. */
import { ERROR_CODES, errorRow, type Retry } from "../../src/model/errors.ts";
import { FLAGS, usageOf } from "../../src/model/flags.ts";
import { Flock } from "../../src/model/flock.ts";
import { aboutSetting, Settings, variableOf } from "../../src/model/settings.ts";
import { connectionPage } from "./connectionPage.ts";
import { lifecyclePage } from "./lifecyclePage.ts";

/** Path -> its text. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "docs/config.md": configPage,
  "docs/errors.md": errorsPage,
  "docs/connection.md": connectionPage,
  "docs/lifecycle.md": lifecyclePage,
};

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const code = (text: string): string => (text === "" ? "" : `\`${text}\``);

function flagRows(): string {
  const rows = FLAGS.filter(({ idle }) => !idle).map((flag) => [code(usageOf(flag)), code(flag.initial), flag.says]);
  return table(["flag", "default", "what it does"], rows);
}

function idleRows(): string {
  const rows = FLAGS.flatMap((flag) => (flag.idle ? [[code(usageOf(flag)), flag.says, flag.idle]] : []));
  return table(["flag", "in the original", "here"], rows);
}

function settingSections(): string {
  const defaults: Readonly<Record<string, unknown>> = Settings.parse({});
  return Object.keys(Settings.shape)
    .map((key) => {
      const { description, allowed, example } = aboutSetting(key as keyof Settings);
      const rows = [
        ["allowed", allowed],
        ["default", key in defaults ? code(JSON.stringify(defaults[key])) : "none"],
        ["in settings.json", code(`"${key}": ${example}`)],
        ["in the environment", code(`${variableOf(key)}=${asVariable(JSON.parse(example))}`)],
      ];
      return `### ${key}\n\n${description}\n\n${table(["", ""], rows)}`;
    })
    .join("\n\n");
}

const asVariable = (value: unknown): string => (Array.isArray(value) ? value.join() : String(value));

function fieldRows(): string {
  const rows = Object.entries(Flock.shape).map(([name, schema]) => [
    code(name),
    schema.safeParse(undefined).success ? "" : "yes",
    schema.description ?? "",
  ]);
  return table(["field", "needed", "what it is"], rows);
}

function configPage(): string {
  return `# Configuration

What the agent is told at its start comes from three places. This page is made from the code by \`npm run docs\`.

| place | says | who writes it |
| --- | --- | --- |
| the \`.flock\` file | who this device is, and where its router is | the studio; you put it on the device |
| the command line | where files are, and how patient the link is | you, in the service's unit; the same flags as the original agent |
| \`settings.json\` and \`REAGENT_…\` variables | everything else | you |

All of it is read once, at the start; only the secret in the \`.flock\` file, and the files that \`tls.…\` and \`auth.key\` name, are read again at each dial. If anything is wrong the agent does not start:
it ends with one sentence that names every bad field, or the bad flag, and what is expected there.

    reagent -config /etc/reagent/device.flock -agentDir /opt/reagent

## Command line

Flags are written as Go programs take them: \`-config x\`, \`-config=x\` and \`--config x\` are the same. One of true or false is switched on by its
name alone and off by \`-offline=false\`; \`-offline false\` is refused. Times are in milliseconds. If a flag is given twice the last one counts.

${flagRows()}

These belong to the original. They are accepted, so that its command lines still work, do nothing, and the agent's log says so:

${idleRows()}

## Settings

In \`settings.json\` in the agent's home (\`-agentDir\`), each key with its dot, and none of them needed:

    {
      "containers.access": ["/dev/ttyUSB0"],
      "containers.stopGrace": 30
    }

or in the environment, which goes before the file: \`REAGENT_CONTAINERS_STOP_GRACE=30\`. An empty variable counts as none. An unknown key is an error.

${settingSections()}

## The .flock file

A JSON file from the studio; \`-config\` says where it is.

${fieldRows()}

All other fields are let be. The addresses \`registry.reswarm.io/\` and \`wss://cbw.record-evolution.com/ws-re-dev\` of old files are taken for what replaced
them, \`registry.ironflock.com/\` and \`wss://cbw.ironflock.com/ws-re-dev\`.

    {
      "name": "press-01",
      "serial_number": "11111111-2222-3333-4444-555555555555",
      "device_key": 31,
      "swarm_key": 2,
      "secret": "not-a-real-secret",
      "swarm_name": "plant_a",
      "swarm_owner_name": "alice",
      "device_endpoint_url": "wss://router.example.com/ws",
      "docker_registry_url": "registry.example.com/",
      "docker_main_repository": "apps/"
    }

The agent writes the file only when the studio gives the device another name or swarm. It then keeps every other field, replaces the file in one step,
and takes the right to read it from everybody but its owner (mode 0600, or less if it had less). A file that cannot be used is never written. One
that cannot be written is a problem that \`reagent status\` shows; the device goes by its new name all the same.

To give the device a new secret, replace the file; the next dial uses it. To make it another device, replace the file and restart the agent.
`;
}

const AGAIN: Readonly<Record<Retry, string>> = {
  "with backoff": "by itself, after a wait that grows",
  slowly: "by itself, every few minutes: only a person can mend it",
  "when it is back": "by itself, when what is missing is there again",
  "on request": "only when somebody asks again",
};

function errorsPage(): string {
  const sections = ERROR_CODES.map((each) => {
    const { retry, says, todo } = errorRow(each);
    return `## \`${each}\`\n\n${says[0]?.toUpperCase()}${says.slice(1)}. ${todo}\n\nTried again: ${AGAIN[retry]}.`;
  });
  return `# Errors

Every way in which the agent can fail, by its code. The code stands in \`reagent status --json\`, in the agent's log and in the keyword arguments of a WAMP error; the
sentence and what to do about it stand beside it wherever a person looks. This page is made from the code by \`npm run docs\`.

Callers on the wire get what the original gave them: the error \`wamp.error.canceled\` with one sentence. Three further codes stand only there, since
the fault is the caller's: \`bad_request\`, \`not_permitted\` and \`not_verified\` (the back end could not be asked).

${sections.join("\n\n")}
`;
}
