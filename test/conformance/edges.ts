/**
 * What can happen to a line, one row each, and the test that shows what is done about it. Those that a real router takes part
 * in are played on all three; what no honest router does is played by a scripted peer.
 */
import type { Case } from "./cases.ts";

const EDGES_HERE = "test/services/wampEdges.test.ts";
const DIAL = "test/services/wampDial.test.ts";
const CONNECTION = "test/machines/connection.test.ts";
const REQUESTS = "test/services/wampRequests.test.ts";
const CYCLES = "test/soak/wampCycles.test.ts";
/** On embedded router, nexus and Crossbar.io. */
const ALIKE = "test/routers/alike.test.ts";
const DEVICE = "test/routers/device.test.ts";

export const EDGES: readonly Case[] = [
  {
    id: "E1",
    says: "Nobody listens, and later somebody does.",
    where: [DEVICE, "a router that is not there yet is dialled until it is"],
  },
  { id: "E2", says: "The name does not resolve.", where: [EDGES_HERE, "refused: a name that does not resolve"] },
  {
    id: "E3",
    says: "The dial itself throws.",
    where: [EDGES_HERE, "refused: a key that does not fit its certificate throws within the dial"],
  },
  {
    id: "E4",
    says: "The router's certificate cannot be trusted.",
    where: [DIAL, "%s is refused, and only a person can help"],
  },
  {
    id: "E5",
    says: "The router does not take the device's certificate.",
    where: [ALIKE, "TLS: an authority that is not known, and a client certificate that is missing or a stranger's"],
  },
  {
    id: "E6",
    says: "A proxy says no, or nothing.",
    where: [DIAL, "one that %s is told as that, and no credential is in what is told"],
  },
  { id: "E7", says: "An answer that is no upgrade.", where: [EDGES_HERE, "HTTP instead of an upgrade"] },
  { id: "E8", says: "A server that speaks no WAMP.", where: [EDGES_HERE, "no WAMP subprotocol"] },
  {
    id: "E9",
    says: "The connection is taken and nothing follows.",
    where: [EDGES_HERE, "accepts and says nothing: the dial deadline"],
  },
  {
    id: "E10",
    says: "HELLO is never answered.",
    where: [EDGES_HERE, "silent after HELLO, but answers pings: the join deadline"],
  },
  { id: "E11", says: "WELCOME without a challenge.", where: [EDGES_HERE, "WELCOME without a challenge"] },
  { id: "E12", says: "A challenge of another method.", where: [EDGES_HERE, "a method that was not offered"] },
  {
    id: "E13",
    says: "The secret cannot be read.",
    where: [EDGES_HERE, "the secret can't be read: our own cause; it hangs: the join deadline"],
  },
  {
    id: "E14",
    says: "ABORT: identity, realm or method is refused.",
    where: [ALIKE, "%s is a refusal, whatever the router calls it"],
  },
  {
    id: "E15",
    says: "A plain close instead of a refusal.",
    where: [EDGES_HERE, "closed plainly instead of a refusal"],
  },
  {
    id: "E16",
    says: "Rejected, and mended in the file.",
    where: [DEVICE, "a wrong secret is rejected and told, and mended in the file it is online within 5 s"],
  },
  { id: "E17", says: "Cut after each step of the handshake.", where: [EDGES_HERE, "cut after CHALLENGE"] },
  {
    id: "E18",
    says: "Our own ghost holds the name.",
    where: [DEVICE, "a ghost holds its name: it waits, and has it when the ghost is gone"],
  },
  {
    id: "E19",
    says: "The name is taken by another session.",
    where: [ALIKE, "a name that another session has: told at once, or had when it is free"],
  },
  {
    id: "E20",
    says: "Sent away, again and again.",
    where: [DEVICE, "sent away five times in a row, it is back each time, with every procedure"],
  },
  {
    id: "E21",
    says: "GOODBYE with any reason.",
    where: [EDGES_HERE, "a GOODBYE that we did not begin is a loss, also when it says %s, and that is shown"],
  },
  {
    id: "E22",
    says: "A shutdown, with or without GOODBYE.",
    where: [ALIKE, "SIGTERM: a loss for each, and the router is there again on the same port"],
  },
  { id: "E23", says: "The router is killed.", where: [ALIKE, "kill -9: a loss"] },
  {
    id: "E24",
    says: "The router is frozen.",
    where: [ALIKE, "frozen: silent within the time; what was asked settles; thawed one gets in again"],
  },
  {
    id: "E25",
    says: "The line is half open.",
    where: [EDGES_HERE, "half-open: the peer is gone and the line says nothing"],
  },
  {
    id: "E26",
    says: "A registration is taken away.",
    where: [ALIKE, "a procedure that is taken from us ends the link; where the router does not take it, it stays ours"],
  },
  {
    id: "E27",
    says: "A call that is never answered.",
    where: [ALIKE, "a call that nobody answers ends by its own deadline, also where the router never says so"],
  },
  {
    id: "E28",
    says: "Late, unknown and doubled answers.",
    where: [EDGES_HERE, "late and unknown answers are dropped, and the link lives"],
  },
  {
    id: "E29",
    says: "A URI that would close the link.",
    where: [ALIKE, "a URI that would close the link is refused here"],
  },
  {
    id: "E30",
    says: "Text that routers lose.",
    where: [ALIKE, "halves of characters and leading NULs arrive mended instead of costing call or link"],
  },
  {
    id: "E31",
    says: "Too large to send.",
    where: [ALIKE, "a message of more than 4 MiB is an error of its call, one of 3 MiB arrives"],
  },
  {
    id: "E32",
    says: "Too large to take.",
    where: [
      REQUESTS,
      "too large to take: the call that asked for it, the invocation that brought it, an event; not the link",
    ],
  },
  { id: "E33", says: "Garbage, binary frames, unknown messages.", where: [EDGES_HERE, "garbage after it"] },
  {
    id: "E34",
    says: "The first retry is soon, later ones are spread.",
    where: [
      CONNECTION,
      "[9] the first retry comes within 250 ms, then up to 2 s, and 1 to 20 s after the first ten seconds",
    ],
  },
  {
    id: "E35",
    says: "The clock is set, or the machine slept.",
    where: ["test/services/clockWatch.test.ts", "a machine that slept an hour is noticed, once"],
  },
  { id: "E36", says: "A stop in every state, and twice.", where: [CONNECTION, "in every state, and twice"] },
  {
    id: "E37",
    says: "A fact of an older attempt.",
    where: [CONNECTION, "[10, 11] a fact of an older attempt changes nothing, in any state"],
  },
  {
    id: "E38",
    says: "A thousand ends leave nothing behind.",
    where: [CYCLES, "1,000 connect and cut cycles: no handle, flat memory, no unhandled rejection"],
  },
  {
    id: "E39",
    says: "Fifty of these in any order.",
    where: [
      "test/world/link.model.test.ts",
      "after 50 things that happen to a line the device is online, in one session, with each registration once",
    ],
  },
];
