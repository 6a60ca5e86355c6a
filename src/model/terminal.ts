/** Text for a terminal, whoever wrote it: an app, a device or a router may not move the cursor. */

/** One line without control characters, cut to a length. */
export function plainLine(text: string, longest = 500): string {
  const plain = text.replaceAll("\t", "  ").replaceAll(/\p{Cc}/gu, "\uFFFD");
  return plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain;
}
