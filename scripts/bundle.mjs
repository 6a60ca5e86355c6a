// @ts-check
/**
 * One file out of an entry and all that it imports, libraries included, for Node 24. What is imported by `import()` is in the
 * same file and still runs only when it is asked for.
 */
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const NOTHING = "module.exports = {}";
const ABSENT = "throw new Error('not installed')";

/**
 * Parts of libraries that are never used here. The absent ones must fail to load: ws takes an empty bufferutil for the real
 * one and dies at the first longer message, and so does autobahn with `when`.
 * @type {Readonly<Record<string, string>>}
 */
const LEFT_OUT = {
  ssh2: NOTHING,
  "@grpc/grpc-js": NOTHING,
  "@grpc/proto-loader": NOTHING,
  protobufjs: NOTHING,
  bufferutil: ABSENT,
  "utf-8-validate": ABSENT,
  when: ABSENT,
  msgpack5: "module.exports = () => ({})",
  cbor: NOTHING,
};

/** @type {import("esbuild").Plugin} */
const leaveOut = {
  name: "leave-out",
  setup(on) {
    const names = new RegExp(`^(${Object.keys(LEFT_OUT).join("|")})(/|$)`);
    on.onResolve({ filter: names }, ({ path }) => ({ path, namespace: "left-out" }));
    on.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({ contents: LEFT_OUT[path] ?? ABSENT }));
  },
};

/**
 * Parts of Node are loaded when the module that needs them is: esbuild would put every import of them at the top, also that
 * of the studio's HTTP server into the daemon. And Node reads every export of an imported part, of `node:http` that of
 * WebSocket too, which loads a whole client for the web (25 ms of a start, measured with Node 24.21). `require` does not.
 * @type {import("esbuild").Plugin}
 */
const lazyParts = {
  name: "lazy-parts",
  setup(on) {
    on.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "node-part" } : undefined,
    );
    on.onLoad({ filter: /.*/, namespace: "node-part" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`,
    }));
  },
};

/** What CommonJS libraries take for granted. */
const COMMON_JS =
  'import{createRequire as __cr}from"node:module";const require=__cr(import.meta.url),__filename=import.meta.filename,__dirname=import.meta.dirname;';
const HASHBANG = "#!/usr/bin/env node\n";

/** The oldest Node, as package.json names it. An older one knows no `import.meta.main`, so it would end without a word. */
const [MAJOR, MINOR] = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  .engines.node.slice(">=".length)
  .split(".");
const OLD_NODE = [
  'const[__major,__minor]=process.versions.node.split(".");',
  `if(__major<${MAJOR}||__major==${MAJOR}&&__minor<${MINOR}){`,
  `console.error("reagent needs Node ${MAJOR}.${MINOR} or newer, and "+process.execPath+" is Node "+process.versions.node+". Start it with a newer one.");`,
  "process.exit(1)}",
].join("");

/**
 * @param {{ entry: string, outfile: string }} files
 * @returns {Promise<import("esbuild").Metafile>} what is in it, and how large it is
 */
export async function bundle({ entry, outfile }) {
  // esbuild puts an entry's own first, and a second one would be a syntax error.
  const hashbang = readFileSync(entry, "latin1").startsWith("#!") ? "" : HASHBANG;
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true,
    legalComments: "none",
    logLevel: "error",
    metafile: true,
    plugins: [leaveOut, lazyParts],
    banner: { js: hashbang + COMMON_JS + OLD_NODE },
  });
  return metafile;
}
