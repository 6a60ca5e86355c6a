/** The credential of an app, as the original derives it. */
import { expect, test } from "vitest";
import { Secret } from "../../src/model/secret.ts";
import { appCredential } from "../../src/services/appCredential.ts";

const SERIAL = "06a0bf96-a539-4d6a-8471-ac7adc67616e";
const KEY = new Secret("dGVzdC1rZXktZm9yLXZlY3Rvcg==");
const order = {
  app: { stage: "PROD", key: 33 },
  name: "weather",
  target: "RUNNING",
  version: "1",
  releaseKey: 1,
  requestor: 5,
  owner: 6,
} as const;

test("the vector of the original: key, serial number, app 33, PROD, epoch 1", () => {
  expect(appCredential(order, SERIAL, KEY)).toEqual({
    APP_AUTH_ID: `app-33-prod-e1@${SERIAL}`,
    APP_AUTH_SECRET: "Pr7pphQvvuN4WW0EKmbTnngTGFpxqFXuH4mYCVrV6+A=",
  });
});

test("each of app, stage, epoch and device makes another one", () => {
  const all = [
    appCredential(order, SERIAL, KEY),
    appCredential({ ...order, app: { stage: "PROD", key: 34 } }, SERIAL, KEY),
    appCredential({ ...order, app: { stage: "DEV", key: 33 } }, SERIAL, KEY),
    appCredential({ ...order, credentialEpoch: 2 }, SERIAL, KEY),
    appCredential(order, "11111111-2222-3333-4444-555555555555", KEY),
  ];
  expect(new Set(all.map((each) => each["APP_AUTH_SECRET"])).size).toBe(5);
  expect(all[2]?.["APP_AUTH_ID"]).toBe(`app-33-dev-e1@${SERIAL}`);
});

test("without a key there is none: not an empty one", () => {
  expect(appCredential(order, SERIAL, undefined)).toEqual({});
});
