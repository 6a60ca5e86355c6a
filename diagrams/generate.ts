/** `npm run diagrams`: writes <machine>.svg and <machine>.mmd for every machine. Says what a reader would trip over. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { picture } from "./draw/picture.ts";
import { MACHINES } from "./machines.ts";

for (const drawn of MACHINES) {
  const { svg, mermaid, problems } = picture(drawn);
  const path = join(import.meta.dirname, drawn.machine.id);
  for (const problem of problems) process.stderr.write(`${drawn.machine.id}: ${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
  if (svg === "") continue;
  writeFileSync(`${path}.svg`, svg);
  writeFileSync(`${path}.mmd`, mermaid);
}
