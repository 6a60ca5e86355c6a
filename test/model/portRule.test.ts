import { expect, test } from "vitest";
import { revisionOf } from "../../src/model/order.ts";
import { PortRules, portVariables, publishedOf, reportedRules } from "../../src/model/portRule.ts";
import { parseAppRequest } from "../../src/model/wireRequest.ts";

const RULES = PortRules.parse([
  { port: 80, name: "web", main: true, active: true, remote_port_environment: "WEB", remote_port: 30_001 },
  { port: 53, protocol: "udp", host_port: 40_002, cloud_remote_port: 7 },
  { port: 80, protocol: "tcp" },
  { port: 502, protocol: "tcp", local_ip: "192.168.0.9", remote_port: 30_003, unknown: "dropped" },
]);

test("what is about another machine is not shown, and each port once", () => {
  expect(publishedOf(RULES).map(({ port }) => port)).toEqual([80, 53]);
});

test("rules go back with the host's ports, and otherwise as they came", () => {
  expect(reportedRules(RULES, { "80/tcp": 40_000, "53/udp": 40_002 }).map(({ host_port: port }) => port)).toEqual([
    40_000,
    40_002,
    40_000,
    undefined,
  ]);
  expect(JSON.stringify(RULES)).not.toContain("dropped");
});

test("what the app is told", () => {
  expect(portVariables(RULES, { "80/tcp": 40_000, "53/udp": 40_002 })).toEqual({
    ...{ DEVICE_PORT_FOR_80: 40_000, DEVICE_PORT_FOR_53: 40_002 },
    ...{ REMOTE_PORT_FOR_80: 30_001, REMOTE_PORT_FOR_502: 30_003, WEB: 30_001 },
  });
});

const REQUEST = { app_key: 42, app_name: "weather", stage: "PROD", target_state: "RUNNING", current_state: "PRESENT" };
const orderOf = (ports: unknown) => {
  const asked = parseAppRequest({ ...REQUEST, present_version: "1.0.0", ports });
  if (asked.is !== "order") throw new Error(asked.why);
  return asked.order;
};

test("another declared port needs another container; another port of the host does not", () => {
  const plain = revisionOf(orderOf([{ port: 80 }]));
  expect(revisionOf(orderOf([{ port: 80, host_port: 40_007, name: "x" }]))).toBe(plain);
  expect(revisionOf(orderOf([{ port: 80 }, { port: 81 }]))).not.toBe(plain);
  expect(revisionOf(orderOf([{ port: 80, protocol: "udp" }]))).not.toBe(plain);
  expect(revisionOf(orderOf([]))).toBe("1-weather");
});

test.each([[[{ port: 0 }]], [[{ port: 70_000 }]], [[{}]], [[80]], ["80"], [[{ port: 80, protocol: "sctp" }]]])(
  "%j is an error, with the original's words",
  (ports) => {
    expect(() => orderOf(ports)).toThrow("failed to parse ports");
  },
);
