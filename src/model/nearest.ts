/** Guesses what was meant by a misspelt word. */

/** The known word with the fewest wrong letters, if they are few; capitals do not count. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((each) => ({ each, wrong: distance(word.toLowerCase(), each.toLowerCase()) }))
    .filter(({ each, wrong }) => wrong <= Math.max(1, Math.floor(each.length / 3)))
    .sort((one, other) => one.wrong - other.wrong);
  return best?.each;
}

/** The end of a sentence: `; is -config meant?`, or nothing. */
export function hint(word: string, known: readonly string[], prefix = ""): string {
  const meant = nearest(word, known);
  return meant === undefined ? "" : `; is ${prefix}${meant} meant?`;
}

/** Letters to add, drop or change (Levenshtein). */
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...one.slice(0, 64)].entries()) {
    const line = [row + 1];
    for (let column = 1; column <= other.length; column++) {
      const change = (above[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1);
      line.push(Math.min(change, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return above[other.length] ?? 0;
}
