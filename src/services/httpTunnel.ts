/**
 * The way through an HTTP proxy: CONNECT, with credentials if the proxy's address has some (RFC 9110, 9.3.6). Which proxy, if
 * any, the environment says, as for every other program: HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
 */
import { request } from "node:http";
import { isIP, type Socket } from "node:net";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Says no, or nothing that is an answer. `code` is what a cause is named by: `proxy_407`, `proxy_unreachable`. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
  readonly code: string;

  constructor(code: string, words: string) {
    super(words);
    this.code = code;
  }
}

/**
 * The proxy for an address, or undefined. HTTP_PROXY counts for ws, HTTPS_PROXY for wss; small letters go before.
 *
 * @throws {ProxyError} proxy_unusable: rather no line than one past the proxy that somebody wanted.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const name = url.protocol === "wss:" ? "https_proxy" : "http_proxy";
  const said = env[name] || env[name.toUpperCase()];
  if (!said || isExempt(url, env["no_proxy"] || env["NO_PROXY"] || "")) return undefined;
  const proxy = URL.parse(said.includes("://") ? said : `http://${said}`);
  if (proxy?.protocol === "http:") return proxy;
  throw new ProxyError("proxy_unusable", `${name.toUpperCase()} is not http://host:port`);
}

/** `*`, a host, a domain with or without a dot before it, each with a port or without. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const own = port || (protocol === "wss:" ? "443" : "80");
  const host = hostname.replaceAll(/[[\]]/g, "").toLowerCase();
  return list
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === "*") return true;
      const [, name = "", only] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) ? `${entry}` : entry) ?? [];
      const domain = name.replace(/^\*?\./, "").toLowerCase();
      const isHost = host === domain || (!isIP(host) && host.endsWith(`.${domain}`));
      return isHost && (only === undefined || only === own);
    });
}

/** Resolves with a socket that leads to the target. @throws {ProxyError}; the credentials are in no message. */
export function connectThrough(proxy: URL, host: string, port: number, signal?: AbortSignal): Promise<Socket> {
  const where = `${proxy.hostname}:${proxy.port || 80}`;
  const target = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const asked = request({
      host: proxy.hostname.replaceAll(/[[\]]/g, ""),
      port: proxy.port || 80,
      method: "CONNECT",
      path: target,
      headers: {
        host: target,
        ...(proxy.username && { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` }),
      },
      agent: false,
      ...(signal && { signal }),
    });
    asked.on("connect", ({ statusCode = 0, statusMessage }, socket) => {
      if (statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(
        new ProxyError(`proxy_${statusCode}`, `the proxy ${where} answers ${statusCode} ${statusMessage ?? ""}`.trim()),
      );
    });
    asked.on("response", (answer) => {
      answer.destroy();
      reject(new ProxyError(`proxy_${answer.statusCode}`, `the proxy ${where} answers ${answer.statusCode}`));
    });
    asked.on("error", (error: NodeJS.ErrnoException) =>
      reject(new ProxyError("proxy_unreachable", `the proxy ${where}: ${error.code ?? error.message}`)),
    );
    asked.end();
  });
}
