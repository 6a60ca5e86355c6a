/** Who an app is towards the router: a name, and a secret that follows from the back end's key and from nothing else. */
import { createHmac } from "node:crypto";
import type { AppOrder } from "../model/order.ts";
import type { Secret } from "../model/secret.ts";

/** The original's derivation; the text that is signed is part of the protocol. */
const SCHEME = "ironflock/app-cred/v1";

/** The variables that a container is given; none without a key. */
export function appCredential(
  { app, credentialEpoch: epoch = 1 }: AppOrder,
  serial: string,
  key: Secret | undefined,
): Readonly<Record<string, string>> {
  if (!key) return {};
  const signed = `${SCHEME}|${serial}|${app.key}|${app.stage}|${epoch}`;
  return {
    APP_AUTH_ID: `app-${app.key}-${app.stage.toLowerCase()}-e${epoch}@${serial}`,
    APP_AUTH_SECRET: createHmac("sha256", key.reveal()).update(signed).digest("base64"),
  };
}
