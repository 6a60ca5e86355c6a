/**
 * With what the device dials and proves who it is, as settings and environment say. The files are read anew for each
 * attempt, so that a certificate or key that was renewed is found without a restart.
 */
import { readFileSync, statSync } from "node:fs";
import type { Environment, Settings } from "../model/settings.ts";
import { proxyFor } from "./httpTunnel.ts";
import { publicKeyOf } from "./wampAuth.ts";
import type { DialOptions } from "./wampDial.ts";
import type { SessionOptions } from "./wampSessionOptions.ts";

const LARGEST = 1 << 20;

/** Ends a dial: `code` is the cause that is told. Names setting and file, and quotes nothing. */
class CredentialsError extends Error {
  override readonly name = "CredentialsError";
  readonly code = "credentials_unreadable";
}

export interface CredentialSources {
  readonly settings: Settings;
  readonly url: string;
  readonly env: Environment;
  /** Of the .flock file: what WAMP-CRA and a ticket go by. */
  readonly readSecret: () => Promise<string>;
}

/** Never throws: what is wrong with a file ends the dial, which is then told as any other end is. */
export function credentialsOf({
  settings,
  url,
  env,
  readSecret,
}: CredentialSources): Pick<SessionOptions, "method" | "authextra" | "readSecret" | "dial"> {
  const method = settings["auth.method"];
  const dial = () => ({ tls: tlsOf(settings), proxy: proxyFor(new URL(url), env) });
  const path = settings["auth.key"];
  if (method !== "cryptosign" || path === undefined) return { method, readSecret, dial };
  const read = () => {
    const key = textOf("auth.key", path);
    try {
      return { key, pubkey: publicKeyOf(key) };
    } catch (error) {
      throw new CredentialsError(`auth.key: ${path}: ${error instanceof Error ? error.message : ""}`);
    }
  };
  try {
    const { key, pubkey } = read();
    return { method, authextra: { pubkey, channel_binding: null }, readSecret: () => key, dial };
  } catch (error) {
    const fail = () => {
      throw error;
    };
    return { method, readSecret, dial: fail };
  }
}

function tlsOf(settings: Settings): NonNullable<DialOptions["tls"]> {
  const of = (setting: "tls.ca" | "tls.cert" | "tls.key") => {
    const path = settings[setting];
    return path === undefined ? undefined : textOf(setting, path);
  };
  return { ca: of("tls.ca"), cert: of("tls.cert"), key: of("tls.key"), pins: settings["tls.pin"] };
}

function textOf(setting: string, path: string): string {
  try {
    if (statSync(path).size > LARGEST) throw new RangeError("larger than 1 MiB");
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? error.code : String(error);
    throw new CredentialsError(`${setting}: ${path} (${why})`);
  }
}
