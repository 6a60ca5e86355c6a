/** The embedded router as a process, with the configuration that nexus gets: so it can be frozen and killed as the others. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSafeServer } from "node:https";
import type { Listen } from "../../src/studio/nexusRouter.ts";
import { MiniRouter, type User } from "../../src/studio/router/minirouter.ts";

interface Config {
  readonly realm: string;
  readonly keepalive: number;
  readonly users: Record<string, User>;
  readonly listen: readonly (Listen & { readonly address: string })[];
}

const { realm, keepalive, users, listen } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Config;
const routers = await Promise.all(
  listen.map(async ({ address, cert, key, clientCa }) => {
    const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
    const isMutual = clientCa !== undefined;
    const tls = {
      cert: read(cert),
      key: read(key),
      ca: read(clientCa),
      requestCert: isMutual,
      rejectUnauthorized: isMutual,
    };
    const server = cert ? createSafeServer(tls) : createServer();
    const router = await new MiniRouter({ realms: [realm], users, ...(keepalive && { keepalive }) }).listen({ server });
    const [host = "", port] = address.split(":");
    await new Promise<void>((resolve) => server.listen(Number(port), host, resolve));
    return router;
  }),
);
process.once("SIGTERM", async () => {
  await Promise.all(routers.map((router) => router.close()));
  process.exit();
});
