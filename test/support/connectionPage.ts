/** docs/connection.md: how a device gets through to its router, and what each end of a link means. */
import { type Ending, LINK_CAUSES } from "../../src/model/linkCauses.ts";

const AFTER: Readonly<Record<Ending, string>> = {
  lost: "`reconnecting`",
  refused: "`rejected`",
  taken: "`duplicate`",
};

const rows = LINK_CAUSES.map(
  ({ on, ending, says, todo = "" }) =>
    `| ${says} | ${todo} | ${on
      .split(" ")
      .map((code) => `\`${code}\``)
      .join(" ")} | ${AFTER[ending]} |`,
);

export const connectionPage = (): string => `# The line to the router

For operators: how a device gets through, and what to do when it does not. \`reagent status\` shows the sentence, what exactly was said, what to do, and when the next
try is. The table at the end is made from the code by \`npm run docs\`.

## Getting through

| | |
| --- | --- |
| address | \`device_endpoint_url\` of the .flock file, \`ws:\` or \`wss:\`; IPv4 and IPv6, 5 s for each address that a name has, 10 s for all of the dial. A redirect is not followed |
| certificates | those that the system trusts, those of Node, and those in the file of \`tls.ca\`. Verified, always |
| pinned keys | \`tls.pin\`: beside a good certificate, the router's key must be one of these. To get one: \`openssl x509 -in router.pem -pubkey -noout \\| openssl pkey -pubin -outform der \\| openssl dgst -sha256 -binary \\| base64\` |
| client certificate | \`tls.cert\` and \`tls.key\` |
| proxy | as for other programs: HTTP_PROXY for \`ws:\`, HTTPS_PROXY for \`wss:\`, NO_PROXY with hosts, domains and addresses, each with a port or without. \`http://user:password@host:port\`; CONNECT with Basic credentials. Others (SOCKS, TLS to the proxy itself) end the dial |
| proof | \`auth.method\`: WAMP-CRA (raw or salted; at most 100,000 iterations and 64 bytes) or a ticket (over \`wss:\` only) by the secret of the .flock file, or cryptosign by \`auth.key\`. A router that asks for another proof, or for none, gets nothing |

Files are read anew by each dial: a renewed certificate, key or secret needs no restart. When the .flock file changes, the device dials at once, at the address that is there
now; so it does when its clock is set or it wakes from sleep. A link that is up stays: the new address is where the next one goes. The rest of the file counts from the next start.

A clock that was never set makes every certificate look "not yet valid": before 2025 the status says that the clock is wrong.

A router behind TLS that is not content with the client certificate may also just cut the line (Node's own server does): then it is a loss, "the line was cut".

## Staying

A line without a byte for 10 s is dead (pings go every 5 s; \`-ppTimeout\`). After a loss the next dial is within 250 ms, then within 2 s for ten seconds, then within 1 to
20 s, by chance, so that a whole fleet does not come back at once. A device that was rejected tries again after 5 s to 5 min, for ever.

If the back end misses two heartbeats while the router is there, the device takes a new session, at most once in 5 min. Apps run on through all of this.

## What each end means

| the status says | what to do | code | then |
| --- | --- | --- | --- |
${rows.join("\n")}

\`reconnecting\`: dialled again soon. \`rejected\`: only a person can mend it; dialled again all the same. \`duplicate\`: another device, or a session of our own that the router
has not given up yet, has the device's name. An end that is not in the table is shown by its code and is a loss.
`;
