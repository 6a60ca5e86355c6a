import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { FLAGS, flagsHelp, parseFlags } from "../../src/model/flags.ts";

const DEFAULTS = {
  config: undefined,
  agentDir: "/opt/reagent",
  appsDir: "/opt/reagent/apps",
  logFile: undefined,
  debug: undefined,
  offline: false,
  ppTimeout: 5_000,
  respTimeout: 7_000,
  connTimeout: 10_000,
  version: false,
  arch: false,
  help: false,
  withoutEffect: [],
};

test("without flags all is as docs/config.md says", () => {
  expect(parseFlags([])).toEqual(DEFAULTS);
});

test.each([[["-config", "x"]], [["-config=x"]], [["--config", "x"]], [["--config=x"]]])(
  "%j names the file x",
  (argv) => {
    expect(parseFlags(argv)).toEqual({ ...DEFAULTS, config: "x" });
  },
);

test.each([
  [["-debug"], true],
  [["--debug"], true],
  [["-debug=true"], true],
  [["-debug=1"], true],
  [["-debug=T"], true],
  [["-debug=false"], false],
  [["-debug=0"], false],
  [["-debug=F"], false],
  [["-debug", "-debug=false"], false],
])("%j switches debug to %j", (argv, debug) => {
  expect(parseFlags(argv).debug).toBe(debug);
});

test("a value may hold equals signs, spaces and line breaks", () => {
  expect(parseFlags(["-config=/a b=c\nd"]).config).toBe("/a b=c\nd");
});

test("the apps' folder follows the home, and the home the environment, unless a flag says otherwise", () => {
  const env = { REAGENT_HOME: "/home/me" };
  expect(parseFlags([], env)).toMatchObject({ agentDir: "/home/me", appsDir: "/home/me/apps" });
  expect(parseFlags([], { REAGENT_HOME: "" }).agentDir).toBe("/opt/reagent");
  expect(parseFlags(["-agentDir", "/x/"], env)).toMatchObject({ agentDir: "/x/", appsDir: "/x/apps" });
  expect(parseFlags(["-agentDir", "/x", "-appsDir=/y"], env)).toMatchObject({ agentDir: "/x", appsDir: "/y" });
});

test("a time of 0 is none, and the original's own default for the router's answers", () => {
  const { ppTimeout, respTimeout, connTimeout } = parseFlags(["-ppTimeout=0", "-respTimeout", "0", "-connTimeout=0"]);
  expect([ppTimeout, respTimeout, connTimeout]).toEqual([0, 5_000, 0]);
});

test.each([
  [["-conifg", "x"], "-conifg is no flag; is -config meant?"],
  [["-Offline"], "-Offline is no flag; is -offline meant?"],
  [["-somethingElse"], "-somethingElse is no flag"],
  [["-nmw", "false"], '"false" is no flag; a value of true or false is written -flag=false'],
  [["service"], '"service" is no flag; a value of true or false is written -flag=false'],
  [["--"], '"--" is no flag; a value of true or false is written -flag=false'],
  [["-config"], "-config has no value; expected a path"],
  [["-config", "-debug"], "-config has no value; expected a path"],
  [["-config="], '-config: ""; expected a path'],
  [["-debug=maybe"], '-debug: "maybe"; expected true or false'],
  [["-debug="], '-debug: ""; expected true or false'],
  [["-ppTimeout", "5s"], '-ppTimeout: "5s"; expected 0, or milliseconds from 100 to 99999999'],
  [["-connTimeout=99"], '-connTimeout: "99"; expected 0, or milliseconds from 100 to 99999999'],
  [["-respTimeout=1e9"], '-respTimeout: "1e9"; expected 0, or milliseconds from 100 to 99999999'],
  [["-profilingPort", "http"], '-profilingPort: "http"; expected a number'],
])("%j is refused: %s", (argv, says) => {
  const refused = () => parseFlags(argv);
  expect(refused).toThrow(new AgentError("bad_settings", says));
});

test("flags of the original that do nothing here are accepted, and each is told", () => {
  const argv = ["-nmw=false", "-env", "production", "-update", "-dbFileName=/x.db", "-profilingPort", "80"];
  expect(parseFlags(argv)).toEqual({
    ...DEFAULTS,
    withoutEffect: [
      "-dbFileName does nothing: the agent's databases are in the agent's home under names of their own",
      "-env does nothing: the agent does not update itself yet",
      "-update does nothing: the agent does not update itself yet",
      "-nmw does nothing: the agent leaves the network to the system",
      "-profilingPort does nothing: there are none",
    ],
  });
});

test("every flag of the original is accepted with a value of its kind", () => {
  const names =
    "config agentDir appsDir dbFileName logFile debug debugMessaging prettyLogging env update remoteUpdateURL offline nmw " +
    "compressedBuildExtension ppTimeout respTimeout connTimeout profiling profilingPort version arch";
  for (const name of names.split(" ")) {
    const flag = FLAGS.find((each) => each.name === name);
    expect(flag, name).toBeDefined();
    parseFlags([`-${name}=${flag?.type === "true|false" ? "true" : "1000"}`]);
  }
});

test("help says each flag that has an effect, with its default, and names the others", () => {
  const text = flagsHelp().join("\n");
  expect(text).toMatch(/^ {2}-ppTimeout <ms> +Time between pings to the router; 0 is none\. Default: 5000\.$/m);
  for (const { name } of FLAGS) expect(text).toContain(`-${name}`);
  for (const word of ["-h", "-help", "--help"]) expect(parseFlags([word]).help).toBe(true);
});

test("whatever stands on the command line, it is read or refused as bad_settings", () => {
  const name = fc.constantFrom(...FLAGS.map((flag) => `-${flag.name}`), "-", "--", "-x");
  const word = fc.oneof(
    name,
    fc.string(),
    fc.tuple(name, fc.string()).map((pair) => pair.join("=")),
  );
  fc.assert(
    fc.property(fc.array(word), (argv) => {
      try {
        const { ppTimeout, agentDir } = parseFlags(argv);
        expect(ppTimeout === 0 || ppTimeout >= 100).toBe(true);
        expect(agentDir).not.toBe("");
      } catch (error) {
        expect((error as AgentError).code).toBe("bad_settings");
      }
    }),
    { numRuns: 1_000 },
  );
});
