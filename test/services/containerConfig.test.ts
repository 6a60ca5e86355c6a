/** When a container that is there is as it would be made now. */
import { expect, test } from "vitest";
import { isMadeBy } from "../../src/services/containerConfig.ts";
import type { ContainerInfo, CreationBody } from "../../src/services/docker.ts";

const BODY: CreationBody = {
  Image: "r/weather:1",
  Env: ["A=1", "B=2"],
  Labels: { x: "1" },
  HostConfig: {
    Binds: ["/a:/data"],
    PortBindings: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "40000" }] },
    Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/null", CgroupPermissions: "rwm" }],
    Runtime: "nvidia",
  },
};
/** As the engine shows a container that was made so: with what the image brings, and what it fills in. */
const INFO = {
  Config: { Image: "r/weather:1", Env: ["A=1", "B=2", "PATH=/bin"], Labels: { x: "1", ofImage: "y" } },
  HostConfig: { ...BODY.HostConfig, Privileged: false, NetworkMode: "bridge" },
} as unknown as ContainerInfo;

test("a container that was made so is", () => {
  expect(isMadeBy(INFO, BODY)).toBe(true);
  const { Runtime: _, ...plain } = BODY.HostConfig ?? {};
  expect(isMadeBy(INFO, { ...BODY, HostConfig: plain }), "the engine's own runtime").toBe(true);
});

test.each<[string, CreationBody]>([
  ["another image", { Image: "r/weather:2" }],
  ["another variable", { Env: ["A=1", "B=3"] }],
  ["one variable more", { Env: ["A=1", "B=2", "C=3"] }],
  ["another label", { Labels: { x: "2" } }],
  ["another folder", { HostConfig: { ...BODY.HostConfig, Binds: ["/b:/data"] } }],
  ["another port", { HostConfig: { ...BODY.HostConfig, PortBindings: {} } }],
  ["another device", { HostConfig: { ...BODY.HostConfig, Devices: [] } }],
  ["more rights", { HostConfig: { ...BODY.HostConfig, Privileged: true } }],
  ["another runtime", { HostConfig: { ...BODY.HostConfig, Runtime: "other" } }],
])("with %s it is not", (_, change) => {
  expect(isMadeBy(INFO, { ...BODY, ...change })).toBe(false);
});
