/** Addresses of the device, in the original's form. */
import { expect, test } from "vitest";
import { type Question, type QuestionOptions, questions } from "../../src/services/questions.ts";
import type { Payload } from "../../src/services/wampEndpoint.ts";

const address = (of: string, cidr: string) => ({
  address: of,
  cidr,
  family: of.includes(":") ? "IPv6" : "IPv4",
  internal: of === "127.0.0.1",
});
const interfaces = () => ({
  lo: [address("127.0.0.1", "127.0.0.1/8")],
  eth0: [address("10.1.2.3", "10.1.2.3/20"), address("fe80::1", "fe80::1/64")],
  docker0: [address("172.17.0.1", "172.17.0.1/16")],
});
const table = questions({ interfaces } as unknown as QuestionOptions);
const args = (name: string) => ((table[name] as Question).run([], {}, {} as never) as Payload).args;

test("every address with its mask: bytes of four or sixteen, in base64", () => {
  expect(args("get_network_metadata")).toEqual([
    { IP: "127.0.0.1", Mask: "/wAAAA==" },
    { IP: "10.1.2.3", Mask: "///wAA==" },
    { IP: "fe80::1", Mask: "//////////8AAAAAAAAAAA==" },
    { IP: "172.17.0.1", Mask: "//8AAA==" },
  ]);
});

test("the IPv4 ones that lead somewhere", () => {
  expect(args("get_ipv4_addresses")).toEqual([[{ interfaceName: "eth0", ip: "10.1.2.3" }]]);
});
