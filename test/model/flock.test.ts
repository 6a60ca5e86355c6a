import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/model/errors.ts";
import { deviceOf, Flock, parseFlock, withMetadata } from "../../src/model/flock.ts";
import { FILE } from "../support/flock.ts";

const parse = (changes: object) => parseFlock(JSON.stringify({ ...FILE, ...changes }));
const sentenceOf = (changes: object): string => {
  try {
    parse(changes);
  } catch (error) {
    if (error instanceof AgentError && error.code === "bad_flock")
      return error.message.replace("the .flock file cannot be used: ", "");
    throw error;
  }
  return "";
};

test("a file of the studio becomes a device and a secret", () => {
  const flock = parse({});
  expect(flock.secret.reveal()).toBe("c2VjcmV0LWZha2U=");
  expect(deviceOf(flock, "armv7")).toEqual({
    serial: "11111111-2222-3333-4444-555555555555",
    deviceKey: 31,
    swarmKey: 2,
    name: "press-01",
    endpointUrl: "wss://cbw.example.com/ws-re-dev",
    registryUrl: "registry.example.com/",
    repository: "apps/",
    applianceDomain: "",
    machine: "armv7",
  });
});

test("what is not needed may be missing or null", () => {
  const { serial_number, swarm_key, device_key, secret, device_endpoint_url } = FILE;
  const least = { serial_number, swarm_key, device_key, secret, device_endpoint_url };
  const flock = parseFlock(JSON.stringify({ ...least, name: null, docker_registry_url: null }));
  expect([flock.name, flock.swarm_name, flock.docker_registry_url, flock.docker_main_repository]).toEqual([
    ...["", "", "", ""],
  ]);
});

test("fields that the agent does not know or does not use may be anything", () => {
  expect(sentenceOf({ board: 3, status: [], invented: { deep: null }, authentication: "none" })).toBe("");
});

const NUMBER = "expected a number, whole and above 0";
test.each([
  ["swarm_key", undefined, "is missing"],
  ["swarm_key", "2", NUMBER],
  ["swarm_key", 0, NUMBER],
  ["swarm_key", 1.5, NUMBER],
  ["device_key", null, NUMBER],
  ["device_key", -1, NUMBER],
  ["device_key", 2 ** 60, NUMBER],
  ["secret", "", "expected a text that is not empty"],
  ["secret", 5, "expected a text"],
  ["serial_number", "a.b", "expected at most 64 letters, digits and dashes"],
  ["serial_number", "", "expected at most 64 letters, digits and dashes"],
  ["serial_number", "a\n", "expected at most 64 letters, digits and dashes"],
  [
    "device_endpoint_url",
    "ftp://router",
    "expected a ws://, wss://, http:// or https:// address without user and password",
  ],
  [
    "device_endpoint_url",
    "wss://u:p@router",
    "expected a ws://, wss://, http:// or https:// address without user and password",
  ],
  ["device_endpoint_url", undefined, "is missing"],
  ["name", 7, "expected a text"],
  ["docker_registry_url", {}, "expected a text"],
  ["appliance_domain", "x".repeat(513), "expected a text of at most 512 characters"],
])("%s: %j is refused by name", (field, value, says) => {
  expect(sentenceOf({ [field]: value })).toBe(`${field}: ${says}`);
});

test("all bad fields are named at once", () => {
  expect(sentenceOf({ swarm_key: "2", secret: "", name: 1 })).toBe(
    `swarm_key: ${NUMBER}; secret: expected a text that is not empty; name: expected a text`,
  );
});

test("a file that is no object is refused", () => {
  for (const text of ["[]", "null", "3", '"text"']) expect(() => parseFlock(text)).toThrow(/: expected an object$/);
});

test.each([
  ["http://router:8080/ws", "ws://router:8080/ws"],
  ["https://router/ws", "wss://router/ws"],
  ["wss://router/ws?x=http://y", "wss://router/ws?x=http://y"],
  ["wss://cbw.record-evolution.com/ws-re-dev", "wss://cbw.ironflock.com/ws-re-dev"],
  ["wss://cbw.record-evolution.com/other", "wss://cbw.record-evolution.com/other"],
])("the router %s is dialled as %s", (device_endpoint_url, url) => {
  expect(parse({ device_endpoint_url }).device_endpoint_url).toBe(url);
});

test.each([
  ["", ""],
  ["registry.example.com", "registry.example.com/"],
  ["registry.example.com/", "registry.example.com/"],
  ["registry.reswarm.io/", "registry.ironflock.com/"],
  ["registry.reswarm.io", "registry.ironflock.com/"],
  ["127.0.0.1:5000", "127.0.0.1:5000/"],
])("the registry %j is %j", (docker_registry_url, url) => {
  expect(parse({ docker_registry_url }).docker_registry_url).toBe(url);
});

test("whatever stands in the fields, the file is read or refused as bad_flock, with every bad field by name", () => {
  const fields = Object.keys(Flock.shape);
  const values = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue(), { minKeys: 1 });
  fc.assert(
    fc.property(values, (changes) => {
      const bad = fields.filter((field) => field in changes && sentenceOf({ [field]: changes[field] }) !== "");
      expect(sentenceOf(changes).split("; ").filter(Boolean)).toEqual(
        bad.map((field) => sentenceOf({ [field]: changes[field] })),
      );
    }),
  );
});

describe("a planted secret", () => {
  const PLANTED = "tr0ub4dor-planted";
  const text = JSON.stringify({ ...FILE, secret: PLANTED });

  test("is not in what was read", () => {
    const flock = parseFlock(text);
    const seen = [inspect(flock, { showHidden: true, depth: 9 }), JSON.stringify(flock), `${flock.secret}`];
    expect(seen.join()).not.toContain(PLANTED);
    expect(inspect(deviceOf(flock, "amd64"))).not.toContain(PLANTED);
  });

  test("is in no error, wherever the file is broken or the value stands", () => {
    const seen: string[] = [];
    const look = (read: () => unknown) => {
      try {
        read();
      } catch (error) {
        seen.push(inspect(error, { showHidden: true, depth: 9 }), JSON.stringify(error), String(error));
      }
    };
    for (let at = 0; at < text.length; at++) look(() => parseFlock(`${text.slice(0, at)}\u0001${text.slice(at + 1)}`));
    for (let at = 0; at < text.length; at++) look(() => parseFlock(text.slice(0, at)));
    for (const field of Object.keys(Flock.shape)) {
      look(() => parse({ [field]: [PLANTED] }));
      look(() => parse({ [field]: { [PLANTED]: PLANTED } }));
    }
    look(() => parse({ secret: PLANTED.repeat(500) }));
    look(() => parse({ device_endpoint_url: `wss://user:${PLANTED}@router` }));
    look(() => parse({ serial_number: `${PLANTED}.` }));
    expect(seen.length).toBeGreaterThan(1_000);
    expect(seen.filter((each) => each.includes(PLANTED) || each.includes(PLANTED.slice(0, 8)))).toEqual([]);
  });
});

describe("what the studio says", () => {
  const SAME = { device_name: "press-01", swarm_name: "plant_a", ownername: "alice", swarm_key: 2 };
  const text = JSON.stringify(FILE);

  test("leaves the text alone when the file says so already", () => {
    expect(withMetadata(text, SAME)).toBe(undefined);
  });

  test.each([
    [{ device_name: "press-02" }, { name: "press-02" }],
    [{ swarm_name: "plant_b" }, { swarm_name: "plant_b" }],
    [{ ownername: "bob" }, { swarm_owner_name: "bob" }],
    [{ swarm_key: 3 }, { swarm_key: 3 }],
  ])("%j is written as %j, and nothing else", (said, written) => {
    const now: unknown = JSON.parse(withMetadata(text, { ...SAME, ...said }) ?? "");
    expect(now).toEqual({ ...FILE, ...written });
    expect(Object.keys(now as object)).toEqual(Object.keys(FILE));
  });

  test("keeps every field that it does not speak of, whatever it is, in its place", () => {
    const names = fc.string({ minLength: 1 }).filter((name) => !/^\d+$/.test(name) && !(name in FILE));
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (unknown) => {
        const before = JSON.parse(JSON.stringify({ ...unknown, ...FILE })) as object;
        const after = JSON.parse(withMetadata(JSON.stringify(before), { ...SAME, swarm_key: 9 }) ?? "") as object;
        expect(after).toEqual({ ...before, swarm_key: 9 });
        expect(Object.keys(after)).toEqual(Object.keys(before));
      }),
    );
  });
});
