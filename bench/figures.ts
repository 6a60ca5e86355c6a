/** Numbers of several runs as a person reads them: least, median, most; ratios only within one run. */

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** What it is compared with, measured in turns with it. */
  readonly beside?: { readonly name: string; readonly values: readonly number[] };
  readonly target: string;
  readonly isReached: boolean;
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
export const median = (values: readonly number[]): number => {
  const all = sorted(values);
  const middle = all.length / 2;
  return all.length % 2 === 1
    ? (all[Math.floor(middle)] ?? Number.NaN)
    : ((all[middle - 1] ?? 0) + (all[middle] ?? 0)) / 2;
};

/** The value that this part of all do not exceed. */
export const percentile = (values: readonly number[], part: number): number =>
  sorted(values)[Math.max(0, Math.ceil(values.length * part) - 1)] ?? Number.NaN;

const round = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(3);
const spread = (values: readonly number[]): string => {
  const all = sorted(values);
  return `${round(all[0] ?? 0)} / ${round(median(values))} / ${round(all.at(-1) ?? 0)}`;
};

export const ratioOf = ({ values, beside }: Pick<Figure, "values" | "beside">): number | undefined =>
  beside && median(values) / median(beside.values);

export function linesOf(figure: Figure): string[] {
  const { name, unit, values, beside, target, isReached } = figure;
  const ratio = ratioOf(figure);
  return [
    `${name} (n ${values.length}, min / median / max, ${unit})`,
    `  reagent      ${spread(values)}`,
    ...(beside
      ? [`  ${beside.name.padEnd(12)} ${spread(beside.values)}`, `  ratio        ${(ratio ?? 0).toFixed(2)}`]
      : []),
    `  target       ${target}: ${isReached ? "reached" : "missed"}`,
  ];
}
