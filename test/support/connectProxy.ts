/** A CONNECT proxy for tests, which wants credentials, or says no, if it is told to. */
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

export interface ConnectProxyOptions {
  /** `user:password` that it wants. */
  readonly wants?: string;
  /** What it answers instead of letting through. */
  readonly says?: number | "nothing";
}

export async function startConnectProxy({ wants, says = 200 }: ConnectProxyOptions = {}) {
  const tunnels: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((_, answer) => answer.writeHead(405).end());
  server.on("connect", (asked: IncomingMessage, socket: Socket) => {
    hold(socket);
    tunnels.push(asked.url ?? "");
    if (says === "nothing") return;
    if (wants && asked.headers["proxy-authorization"] !== `Basic ${Buffer.from(wants).toString("base64")}`)
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    if (says !== 200) return void socket.end(`HTTP/1.1 ${says} No\r\nContent-Length: 0\r\n\r\n`);
    const [, port] = /:(\d+)$/.exec(asked.url ?? "") ?? [];
    const target = hold(connect(Number(port), "127.0.0.1"));
    target.once("connect", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(target).pipe(socket);
    });
    target.on("close", () => socket.destroy());
    socket.on("close", () => target.destroy());
  });
  function hold(socket: Socket): Socket {
    open.add(socket);
    return socket.on("error", () => {}).on("close", () => open.delete(socket));
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    /** What was asked for, in order. */
    tunnels,
    at: (credentials = "") => new URL(`http://${credentials}127.0.0.1:${port}`),
    close: () => {
      for (const socket of open) socket.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}
