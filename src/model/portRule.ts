/** Ports that an app's container shows to the device's network: what was declared, and which port of the host it became. */
import * as z from "zod";

const Port = z.int().min(1).max(65_535);
const PortOrNone = z.int().min(0).max(65_535).nullish();
const Word = z.string().max(256).nullish();

/** As the back end has it; goes back to it with its `host_port`. */
export const PortRule = z.object({
  port: Port,
  protocol: z.enum(["http", "https", "tcp", "udp"]).default("http"),
  main: z.boolean().nullish(),
  name: Word,
  active: z.boolean().nullish(),
  public: z.boolean().nullish(),
  local_ip: Word,
  remote_port_environment: Word,
  remote_port: PortOrNone,
  host_port: PortOrNone,
  cloud_remote_port: PortOrNone,
});
export type PortRule = z.output<typeof PortRule>;

export const PortRules = z.array(PortRule).max(100);

/** `80/tcp`: what is declared, and what Docker calls it. */
export type Declared = `${number}/${"tcp" | "udp"}`;
export const declaredOf = ({ port, protocol }: PortRule): Declared => `${port}/${protocol === "udp" ? "udp" : "tcp"}`;

/** Which port of the host each declared one is. */
export type HostPorts = Readonly<Partial<Record<Declared, number>>>;

/** A rule with a local address is about another machine in the device's network, so nothing of the container is shown. */
export const publishedOf = (rules: readonly PortRule[]): readonly PortRule[] => {
  const own = rules.filter(({ local_ip: other }) => !other);
  return own.filter((rule, at) => own.findIndex((each) => declaredOf(each) === declaredOf(rule)) === at);
};

/** The rules as they go back. */
export const reportedRules = (rules: readonly PortRule[], ports: HostPorts): PortRule[] =>
  rules.map((rule) => {
    const port = rule.local_ip ? undefined : ports[declaredOf(rule)];
    return port === undefined ? rule : { ...rule, host_port: port };
  });

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,120}$/;

/** What an app is told of its ports. */
export const portVariables = (rules: readonly PortRule[], ports: HostPorts): Record<string, number> =>
  Object.fromEntries(
    rules.flatMap((rule) => {
      const { port, remote_port: remote, cloud_remote_port: cloud, remote_port_environment: given } = rule;
      const name = given && VARIABLE.test(given) ? given : undefined;
      const all: [string | undefined, number | null | undefined][] = [
        [`DEVICE_PORT_FOR_${port}`, rule.local_ip ? undefined : ports[declaredOf(rule)]],
        [`REMOTE_PORT_FOR_${port}`, remote],
        [name, remote],
        [name && `${name}_CLOUD`, cloud],
      ];
      return all.flatMap(([variable, value]) => (variable && value ? [[variable, value] as const] : []));
    }),
  );
