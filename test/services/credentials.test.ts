import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readSettings } from "../../src/model/settings.ts";
import { credentialsOf } from "../../src/services/credentials.ts";
import { causeOf } from "../../src/services/wampCauses.ts";

const folder = mkdtempSync(join(tmpdir(), "rgcred-"));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const of = (settings: Record<string, unknown>, env: Record<string, string> = {}) =>
  credentialsOf({
    settings: readSettings(JSON.stringify(settings), {}),
    url: "wss://router.example/ws",
    env,
    readSecret: async () => "of the file",
  });

const failure = (settings: Record<string, unknown>) => {
  try {
    of(settings).dial?.();
  } catch (error) {
    return causeOf(error as Error);
  }
  return undefined;
};

test("files are read anew by each dial, and the proxy is the environment's", () => {
  const ca = put("ca", "first");
  const pins = ["l/IcHQ+RSM0kGZVEkO8EMn3yJcEEkDQ6bDqWGHDVhQo="];
  const { dial, method } = of({ "tls.ca": ca, "tls.pin": pins }, { HTTPS_PROXY: "http://proxy:3128" });
  expect(method).toBe("wampcra");
  expect(dial?.()).toMatchObject({ tls: { ca: "first", pins }, proxy: new URL("http://proxy:3128") });
  put("ca", "second");
  expect(dial?.()).toMatchObject({ tls: { ca: "second" } });
});

test("WAMP-CRA and ticket go by the secret of the .flock file, cryptosign by its key", async () => {
  expect(await of({ "auth.method": "ticket" }).readSecret()).toBe("of the file");
  const key = put("key", "07".repeat(32));
  const signing = of({ "auth.method": "cryptosign", "auth.key": key });
  expect(await signing.readSecret()).toBe("07".repeat(32));
  expect(signing.authextra).toEqual({ pubkey: expect.stringMatching(/^[0-9a-f]{64}$/), channel_binding: null });
});

test.each([
  ["tls.ca", { "tls.ca": "/no/such/file" }, "tls.ca: /no/such/file (ENOENT)"],
  ["auth.key", { "auth.method": "cryptosign", "auth.key": "/no/such/file" }, "auth.key: /no/such/file (ENOENT)"],
  ["a folder", { "tls.ca": folder }, `tls.ca: ${folder} (EISDIR)`],
])("%s that cannot be read ends the dial, and names setting and file", (_, settings, detail) => {
  expect(failure(settings)).toEqual({ kind: "ours", because: "credentials_unreadable", detail });
});

test("a key that is none is told without a word of it", () => {
  const path = put("nonsense", "planted-nonsense");
  const cause = failure({ "auth.method": "cryptosign", "auth.key": path });
  expect(cause?.because).toBe("credentials_unreadable");
  expect(cause?.detail).toContain(path);
  expect(cause?.detail).not.toContain("planted");
});

test.each([
  [{ "auth.method": "cryptosign" }, "auth.method needs auth.key"],
  [{ "tls.cert": "/a" }, "tls.cert needs tls.key"],
  [{ "tls.key": "/a" }, "tls.key needs tls.cert"],
])("%j is refused at the start: %s", (settings, says) => {
  expect(() => readSettings(JSON.stringify(settings), {})).toThrow(says);
});
