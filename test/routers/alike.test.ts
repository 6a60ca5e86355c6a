/**
 * The same session on the embedded router, nexus and Crossbar.io. Each test is a rule that a client of all three must keep;
 * what they do differently is in docs/wire.md, "How routers differ".
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { publicKeyOf } from "../../src/services/wampAuth.ts";
import { Refusal } from "../../src/services/wampEndpoint.ts";
import type { Session } from "../../src/services/wampSession.ts";
import type { SessionOptions } from "../../src/services/wampSessionOptions.ts";
import { dial, type Line } from "../support/link.ts";
import { type Peer, ROUTERS, SEED, startPeer } from "../support/realRouters.ts";

describe.each(ROUTERS)("%s", (name) => {
  let peer: Peer;
  let lines: Line[] = [];
  beforeAll(async () => {
    peer = await startPeer(name, { keepalive: 10_000 });
  });
  afterAll(() => peer?.[Symbol.asyncDispose]());
  afterEach(async () => {
    for (const { session } of lines) session.close();
    await Promise.all(lines.map(({ session }) => session.closed));
    lines = [];
  });

  const reach = (options: Partial<SessionOptions> = {}): Line => {
    const line = dial(peer.url, { pingEvery: 200, deadAfter: 800, ...options });
    lines.push(line);
    return line;
  };
  const join = (options: Partial<SessionOptions> = {}): Promise<Session> => reach(options).joined;
  const other = { authid: "dev2", readSecret: () => "s3cret2" };
  const trusted = () => ({ ca: peer.certificates.ca.cert });

  describe("getting in", () => {
    test("WAMP-CRA with a raw and with a salted secret", async () => {
      await join();
      await join({ authid: "salted", readSecret: () => "pw" });
    });

    test("a ticket over TLS", async () => {
      const tls = trusted();
      await join({
        url: peer.wss,
        dial: () => ({ tls }),
        authid: "op",
        method: "ticket",
        readSecret: () => "op-ticket",
      });
    });

    // nexus takes an old signature for a new one, so nobody should use it there; that the handshake works is another matter.
    test("cryptosign, with authid and public key in HELLO", async () => {
      const authextra = { pubkey: publicKeyOf(SEED), channel_binding: null };
      await join({ authid: "signer", method: "cryptosign", authextra, readSecret: () => SEED });
    });

    test.each<[string, Partial<SessionOptions>, RegExp]>([
      ["a wrong secret", { readSecret: () => "wrong" }, /authentication_failed|not_authorized/],
      ["an authid that nobody has", { authid: "nobody" }, /authentication_failed|not_authorized/],
      ["a realm that is not there", { realm: "nowhere" }, /no_such_realm/],
      [
        "a method that the user does not have",
        { authid: "signer", method: "wampcra" },
        /authentication_failed|not_authorized|no_matching_auth_method|no_auth_method/,
      ],
    ])("%s is a refusal, whatever the router calls it", async (_, options, uri) => {
      const { end, facts } = reach(options);
      const { because } = await end;
      // One refusal in about two hundred of nexus is a plain close, since its ABORT did not go out in time: that is a loss.
      if (name === "nexus" && because === "closed_1000") return;
      expect(because).toMatch(uri);
      expect(facts.at(-1)).toMatchObject({ type: "lost", ending: "refused" });
    });

    test("TLS: an authority that is not known, and a client certificate that is missing or a stranger's", async () => {
      const { client, foreignClient } = peer.certificates;
      await join({ url: peer.mutual, dial: () => ({ tls: { ...trusted(), ...client } }) });
      const why = async (url: string, tls: object) => (await reach({ url, dial: () => ({ tls }) }).end).because;
      expect(await why(peer.wss, {})).toMatch(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN)$/);
      expect(await why(peer.mutual, trusted())).toMatch(/ALERT_CERTIFICATE_REQUIRED$|^ECONNRESET$/);
      expect(await why(peer.mutual, { ...trusted(), ...foreignClient })).toMatch(/ALERT_UNKNOWN_CA$|^ECONNRESET$/);
    });
  });

  describe("while in", () => {
    test("calls both ways, a refusal with its arguments, prefix registrations, nobody there", async () => {
      const [callee, caller] = [await join(), await join(other)];
      await callee.register("dev.dev1.", (args, kwargs, { procedure }) => [args, kwargs, procedure], {
        match: "prefix",
      });
      await callee.register("dev.no", () => {
        throw new Refusal("reagent.no", ["why"], { x: 1 });
      });
      expect((await caller.call("dev.dev1.a", [1], { k: 2 })).args).toEqual([[[1], { k: 2 }, "dev.dev1.a"]]);
      await expect(caller.call("dev.no")).rejects.toMatchObject({ uri: "reagent.no", args: ["why"], kwargs: { x: 1 } });
      await expect(caller.call("dev.nobody")).rejects.toMatchObject({ uri: "wamp.error.no_such_procedure" });
    });

    test("a URI that would close the link is refused here", async () => {
      const session = await join();
      for (const uri of ["a..b", "a b", "dev.", "a#b", ""])
        await expect(session.call(uri)).rejects.toMatchObject({ code: "bad_uri" });
      expect(session.isJoined).toBe(true);
    });

    test("halves of characters and leading NULs arrive mended instead of costing call or link", async () => {
      const session = await join();
      await session.register("dev.echo", (args) => args[0]);
      const { args } = await session.call("dev.echo", [["\ud83d", "\0QUJD", "\0not base64"]]);
      expect(args).toEqual([["\uFFFD", "\uFFFDQUJD", "\uFFFDnot base64"]]);
    });

    test("a message of more than 4 MiB is an error of its call, one of 3 MiB arrives", async () => {
      const session = await join();
      await session.register("dev.echo", (args) => args[0]);
      await expect(session.call("dev.echo", ["x".repeat(5 << 20)])).rejects.toMatchObject({ code: "message_too_big" });
      expect(String((await session.call("dev.echo", ["x".repeat(3 << 20)])).args[0])).toHaveLength(3 << 20);
    });

    test("a call that nobody answers ends by its own deadline, also where the router never says so", async () => {
      const [callee, caller] = [await join(), await join({ ...other, cancelGrace: 200 })];
      await callee.register("dev.slow", () => new Promise(() => {}));
      const call = caller.call("dev.slow", [], {}, { within: 300 });
      await expect(call).rejects.toMatchObject({ code: "deadline" });
      expect(await caller.call("wamp.session.count")).toBeDefined();
      expect(callee.isJoined && caller.isJoined).toBe(true);
    });

    test("progress comes whole and in order, and a deadline reaches the callee", async () => {
      const [callee, caller] = [await join(), await join({ ...other, cancelGrace: 200 })];
      const cancelled = Promise.withResolvers<void>();
      await callee.register("logs.tail", async (_, __, { progress, signal }) => {
        for (let n = 0; n < 200; n++) progress?.([n]);
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        cancelled.resolve();
      });
      const parts: unknown[] = [];
      const onProgress = ({ args }: { args: unknown[] }) => parts.push(args[0]);
      await expect(caller.call("logs.tail", [], {}, { within: 400, onProgress })).rejects.toMatchObject({
        code: "deadline",
      });
      await cancelled.promise;
      expect(parts).toEqual(Array.from({ length: 200 }, (_, n) => n));
    });

    test("a thousand events arrive, each once and in order", async () => {
      const [speaker, listener] = [await join(), await join(other)];
      const got: unknown[] = [];
      const all = Promise.withResolvers<void>();
      await listener.subscribe("logs.x", (args) => got.push(args[0]) === 1_000 && all.resolve());
      for (let n = 0; n < 1_000; n++) {
        speaker.publish("logs.x", [n, "l".repeat(1_000)]);
        await speaker.room("logs");
      }
      await all.promise;
      expect(got).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    });

    test("a name that another session has: told at once, or had when it is free", async () => {
      const [ghost, heir] = [await join(), await join(other)];
      await ghost.register("dev.claim", () => 1, { force: false });
      const taken = heir.register("dev.claim", () => 2, { force: false, patience: 0 });
      await expect(taken).rejects.toMatchObject({ uri: expect.stringMatching(/procedure_(already_)?exists/) });
      const waiting = heir.register("dev.claim", () => 2, { force: false });
      ghost.close();
      await waiting;
      expect((await heir.call("dev.claim")).args).toEqual([2]);
    });

    test("force_reregister, where the router ignores it: had as soon as the ghost is gone", async () => {
      const [ghost, heir] = [reach(), await join(other)];
      await (await ghost.joined).register("dev.forced", () => 1, { force: false });
      const had = heir.register("dev.forced", () => 2);
      if (name === "nexus") ghost.session.close();
      await had;
      expect((await heir.call("dev.forced")).args).toEqual([2]);
    });

    test("a procedure that is taken from us ends the link; where the router does not take it, it stays ours", async () => {
      const [first, second] = [reach(), await join(other)];
      await (await first.joined).register("dev.once", () => 1, { force: false });
      const taking = second.register("dev.once", () => 2, { patience: 0 });
      if (name === "nexus") {
        await expect(taking).rejects.toMatchObject({ uri: "wamp.error.procedure_already_exists" });
        expect((await second.call("dev.once")).args).toEqual([1]);
        return;
      }
      await taking;
      expect(await first.end).toMatchObject({ because: "registration_revoked" });
    });
  });

  describe("going", () => {
    test("the testament speaks when we leave and when we are cut", async () => {
      const watcher = await join(other);
      const heard: unknown[] = [];
      let both = Promise.withResolvers<void>();
      await watcher.subscribe("dev.gone", (args) => heard.push(args[0]) > 0 && both.resolve());
      for (const how of ["leave", "close"] as const) {
        both = Promise.withResolvers<void>();
        const session = await join();
        await session.call("wamp.session.add_testament", ["dev.gone", [how], {}]);
        await session[how]();
        await both.promise;
      }
      expect(heard).toEqual(["leave", "close"]);
    });

    test("our own GOODBYE is a clean leave, whatever reason comes back", async () => {
      const { end, joined, facts } = reach();
      await (await joined).leave();
      expect(await end).toMatchObject({ because: "left" });
      expect(facts.at(-1)).toMatchObject({ type: "lost", ending: "lost" });
    });

    test("killed by an operator: a loss, with the router's own reason", async () => {
      const [victim, operator] = [reach(), await join(other)];
      const { id } = await victim.joined;
      await operator.call("wamp.session.kill", [id]);
      expect((await victim.end).because).toMatch(/^wamp\.close\.(killed|normal)$/);
      expect(victim.facts.at(-1)).toMatchObject({ ending: "lost" });
    });

    test("frozen: silent within the time; what was asked settles; thawed one gets in again", async () => {
      const line = reach();
      const session = await line.joined;
      await peer.freeze();
      const call = expect(session.call("wamp.session.count")).rejects.toMatchObject({ code: "link_lost" });
      expect(await line.end).toMatchObject({ because: "silent" });
      await call;
      peer.thaw();
      await join();
    });

    test("SIGTERM: a loss for each, and the router is there again on the same port", async () => {
      const both = [reach(), reach(other)];
      await Promise.all(both.map(({ joined }) => joined));
      await peer.stop();
      for (const { end, facts } of both) {
        expect((await end).because).toMatch(/system_shutdown|closed_1006|ECONNRESET|closed_1001/);
        expect(facts.at(-1)).toMatchObject({ ending: "lost" });
      }
      await peer.start();
      await join();
    });

    test("kill -9: a loss", async () => {
      const line = reach();
      await line.joined;
      await peer.kill();
      expect((await line.end).because).toMatch(/closed_1006|ECONNRESET/);
      // The kernel takes a moment to close what the dead one listened on.
      expect((await reach().end).because).toMatch(/^ECONN(REFUSED|RESET)$/);
    });
  });
});
