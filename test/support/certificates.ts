/** Certificates for tests, made on the spot: an authority, a server for localhost, a client, and what is wrong with each. */
import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** As `openssl ca` wants a date. */
const inDays = (days: number): string =>
  new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\.\d+/g, "");

const CONFIG = `[ca]
default_ca = tests
[tests]
database = index
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
[any]
commonName = supplied
`;

export function makeCertificates() {
  const folder = mkdtempSync(join(tmpdir(), "rgtls-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const read = (name: string): Pair => ({
    cert: readFileSync(join(folder, `${name}.crt`), "utf8"),
    key: readFileSync(join(folder, `${name}.key`), "utf8"),
  });
  const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = (name: string): Pair => {
    const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
    openssl("req", "-x509", ...EC, ...files, "-days", "30", "-subj", `/CN=${name}`);
    return read(name);
  };
  /** Through `openssl ca`, the only one of its tools that takes dates (OpenSSL 3.0). */
  const issue = (name: string, by: string, extensions: string, from = inDays(-1), to = inDays(30)): Pair => {
    writeFileSync(join(folder, "ca.cnf"), CONFIG);
    writeFileSync(join(folder, "index"), "");
    writeFileSync(join(folder, `${name}.ext`), extensions);
    openssl("req", ...EC, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const signed = ["-cert", `${by}.crt`, "-keyfile", `${by}.key`, "-rand_serial", "-extfile", `${name}.ext`];
    const files = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-startdate", from, "-enddate", to];
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", ...signed, ...files);
    return read(name);
  };
  const here = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const made = {
    ca: authority("ca"),
    stranger: authority("stranger"),
    server: issue("server", "ca", here),
    expired: issue("expired", "ca", here, inDays(-9), inDays(-2)),
    future: issue("future", "ca", here, inDays(2), inDays(9)),
    /** Its own authority. */
    lonely: authority("localhost"),
    elsewhere: issue("elsewhere", "ca", "subjectAltName=DNS:elsewhere.example"),
    client: issue("client", "ca", "extendedKeyUsage=clientAuth"),
    foreignClient: issue("foreignClient", "stranger", "extendedKeyUsage=clientAuth"),
  };
  rmSync(folder, { recursive: true, force: true });
  return made;
}

/** As `tls.pins` wants it. */
export const pinOf = (cert: string): string =>
  createHash("sha256")
    .update(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
