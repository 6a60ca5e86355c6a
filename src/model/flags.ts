/**
 * The command line of the daemon: the original's flags, written as Go reads them. One table; `--help` and docs/config.md
 * are made from it.
 */
import { type Ms, ms } from "./duration.ts";
import { AgentError } from "./errors.ts";
import { hint } from "./nearest.ts";

const TYPES = {
  path: { shown: "<path>", wants: "a path", accepts: /^[^\0]+$/ },
  text: { shown: "<text>", wants: "a text", accepts: /^/ },
  number: { shown: "<number>", wants: "a number", accepts: /^\d{1,5}$/ },
  /** Less than 100 would end each try before it had a chance. */
  ms: { shown: "<ms>", wants: "0, or milliseconds from 100 to 99999999", accepts: /^(0|[1-9]\d{2,7})$/ },
  /** Go's strconv.ParseBool. */
  "true|false": { shown: "", wants: "true or false", accepts: /^([01tfTF]|true|false|TRUE|FALSE|True|False)$/ },
} as const satisfies Record<string, { shown: string; wants: string; accepts: RegExp }>;

export interface Flag {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  /** As it is shown; empty if there is none. */
  readonly initial: string;
  readonly says: string;
  /** Accepted, so that the original's command lines still work, and of no effect: the reason. */
  readonly idle?: string;
}

const SQLITE = "the agent's databases are in the agent's home under names of their own";
const UPDATES = "the agent does not update itself yet";

export const FLAGS: readonly Flag[] = [
  { name: "config", type: "path", initial: "", says: "The `.flock` file." },
  {
    name: "agentDir",
    type: "path",
    initial: "/opt/reagent",
    says: "The agent's home. Without it `REAGENT_HOME` says where, if it is set.",
  },
  {
    name: "appsDir",
    type: "path",
    initial: "<agentDir>/apps",
    says: "Folder of the apps' data. Follows `agentDir`; the original's is /opt/reagent/apps unless this flag says otherwise.",
  },
  {
    name: "logFile",
    type: "path",
    initial: "",
    says: "Where the agent's log is written beside standard output, instead of `agent.log` in its home.",
  },
  {
    name: "debug",
    type: "true|false",
    initial: "",
    says: "Log from level debug on; `-debug=false` from info on. Without it `log.level` decides.",
  },
  { name: "offline", type: "true|false", initial: "false", says: "Never dial; the apps run all the same." },
  { name: "ppTimeout", type: "ms", initial: "5000", says: "Time between pings to the router; 0 is none." },
  { name: "respTimeout", type: "ms", initial: "7000", says: "How long the router may take to answer; 0 is 5000." },
  {
    name: "connTimeout",
    type: "ms",
    initial: "10000",
    says: "How long a connection may take to open; 0 is no limit of its own. The original gives it 1250.",
  },
  { name: "version", type: "true|false", initial: "false", says: "Print the version and end." },
  { name: "arch", type: "true|false", initial: "false", says: "Print the architecture and end." },
  { name: "help", type: "true|false", initial: "false", says: "Print this list and end." },
  { name: "dbFileName", type: "path", initial: "", says: "The original's database.", idle: SQLITE },
  {
    name: "debugMessaging",
    type: "true|false",
    initial: "",
    says: "Log the messages of the link.",
    idle: "`log.level` is all there is",
  },
  {
    name: "prettyLogging",
    type: "true|false",
    initial: "",
    says: "Log for people too.",
    idle: "the log has one form",
  },
  { name: "env", type: "text", initial: "", says: "Which updates to take.", idle: UPDATES },
  { name: "update", type: "true|false", initial: "", says: "Update the agent at its start.", idle: UPDATES },
  { name: "remoteUpdateURL", type: "text", initial: "", says: "Where updates are.", idle: UPDATES },
  {
    name: "nmw",
    type: "true|false",
    initial: "",
    says: "Use NetworkManager.",
    idle: "the agent leaves the network to the system",
  },
  {
    name: "compressedBuildExtension",
    type: "text",
    initial: "",
    says: "Ending of uploaded builds.",
    idle: "the agent does not build apps yet",
  },
  { name: "profiling", type: "true|false", initial: "", says: "Serve Go's profiles.", idle: "there are none" },
  { name: "profilingPort", type: "number", initial: "", says: "Port of the profiles.", idle: "there are none" },
];

const NAMES = FLAGS.map(({ name }) => name);

export interface Flags {
  readonly config: string | undefined;
  readonly agentDir: string;
  readonly appsDir: string;
  readonly logFile: string | undefined;
  /** `undefined`: the settings decide. */
  readonly debug: boolean | undefined;
  readonly offline: boolean;
  /** 0 is never. */
  readonly ppTimeout: Ms;
  readonly respTimeout: Ms;
  /** 0 is no limit. */
  readonly connTimeout: Ms;
  readonly version: boolean;
  readonly arch: boolean;
  readonly help: boolean;
  /** Flags that were given and do nothing: each a sentence for the log. */
  readonly withoutEffect: readonly string[];
}

/**
 * @param argv What follows the program's name.
 * @throws {AgentError} bad_settings, naming the flag that is unknown or has a bad value.
 */
export function parseFlags(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Flags {
  const given = collect(argv);
  const agentDir = given.get("agentDir") ?? (env["REAGENT_HOME"] || initialOf("agentDir"));
  const isOn = (name: string): boolean | undefined => {
    const text = given.get(name);
    return text === undefined ? undefined : /^[1tT]/.test(text);
  };
  const time = (name: string): Ms => ms(Number(given.get(name) ?? initialOf(name)));
  return {
    config: given.get("config"),
    agentDir,
    appsDir: given.get("appsDir") ?? `${agentDir.replace(/\/+$/, "")}/apps`,
    logFile: given.get("logFile"),
    debug: isOn("debug"),
    offline: isOn("offline") ?? false,
    ppTimeout: time("ppTimeout"),
    respTimeout: time("respTimeout") || ms(5_000),
    connTimeout: time("connTimeout"),
    version: isOn("version") ?? false,
    arch: isOn("arch") ?? false,
    help: isOn("help") ?? false,
    withoutEffect: FLAGS.flatMap(({ name, idle }) =>
      idle && given.has(name) ? [`-${name} does nothing: ${idle}`] : [],
    ),
  };
}

/** What was given, by name, as text that fits its type. The last one counts. */
function collect(argv: readonly string[]): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const [, name, joined] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined)
      throw new AgentError(
        "bad_settings",
        `${quoted(word)} is no flag; a value of true or false is written -flag=false`,
      );
    const flag = flagOf(name);
    const isSwitch = flag.type === "true|false";
    const text = joined ?? (isSwitch ? "true" : (argv[++at] ?? ""));
    check(flag, text, joined !== undefined);
    given.set(flag.name, text);
  }
  return given;
}

function flagOf(name: string): Flag {
  const flag = FLAGS.find((each) => each.name === (name === "h" ? "help" : name));
  if (!flag) throw new AgentError("bad_settings", `-${name.slice(0, 60)} is no flag${hint(name, NAMES, "-")}`);
  return flag;
}

function check({ name, type }: Flag, text: string, isJoined: boolean): void {
  const { wants, accepts } = TYPES[type];
  if (!isJoined && type !== "true|false" && (text === "" || text.startsWith("-")))
    throw new AgentError("bad_settings", `-${name} has no value; expected ${wants}`);
  if (!accepts.test(text)) throw new AgentError("bad_settings", `-${name}: ${quoted(text)}; expected ${wants}`);
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
const initialOf = (name: string): string => FLAGS.find((flag) => flag.name === name)?.initial ?? "";

/** How it is written: `-ppTimeout <ms>`. */
export const usageOf = ({ name, type }: Flag): string => `-${name} ${TYPES[type].shown}`.trimEnd();

/** What `--help` prints: a line for each flag that has an effect, and one that names the others. */
export function flagsHelp(): string[] {
  const works = FLAGS.filter(({ idle }) => !idle);
  const width = Math.max(...works.map((flag) => usageOf(flag).length));
  const lines = works.map((flag) => {
    const initial = flag.initial === "" || flag.initial === "false" ? "" : ` Default: ${flag.initial}.`;
    return `  ${usageOf(flag).padEnd(width)}  ${flag.says.replaceAll("`", "")}${initial}`;
  });
  const idle = FLAGS.filter((flag) => flag.idle).map(({ name }) => `-${name}`);
  return [...lines, `Accepted, without effect: ${idle.join(", ")}.`];
}
