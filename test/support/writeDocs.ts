/** Writes the pages of docs/ that are made from the code: `npm run docs`. */
import { writeFileSync } from "node:fs";
import { PAGES } from "./docsPages.ts";

for (const [path, text] of Object.entries(PAGES)) writeFileSync(path, text());
