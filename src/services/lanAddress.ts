/** The address of this device in its local network, as far as it has one. */
import { networkInterfaces } from "node:os";

/** Bridges of engines are none of it. */
export function lanIp(): string | undefined {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    /^(docker|br-|rg|veth)/.test(name) ? [] : addresses,
  );
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}
