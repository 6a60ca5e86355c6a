/** Names of processors as Go has them, since images are called by them and the back end knows no others. */
export interface Architecture {
  /** `amd64`, `arm64`, `arm` */
  readonly name: string;
  /** `v7` for arm, else empty. */
  readonly variant: string;
}

const NAMES: Readonly<Record<string, Architecture>> = {
  x64: { name: "amd64", variant: "" },
  arm64: { name: "arm64", variant: "" },
  arm: { name: "arm", variant: "v7" },
  ia32: { name: "386", variant: "" },
};

/** From what Node calls it. */
export const architectureOf = (arch: string): Architecture => NAMES[arch] ?? { name: arch, variant: "" };
