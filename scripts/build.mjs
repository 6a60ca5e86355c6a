// @ts-check
/** `npm run build`: the `reagent` command as one file that needs nothing but Node beside it. */
import { chmodSync, statSync } from "node:fs";
import { bundle } from "./bundle.mjs";

const OUTFILE = "dist/reagent.mjs";

await bundle({ entry: "src/cli.ts", outfile: OUTFILE });
chmodSync(OUTFILE, 0o755);
console.log(`${OUTFILE}: ${Math.round(statSync(OUTFILE).size / 1024)} KiB`);
