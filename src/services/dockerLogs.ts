/**
 * A container's output as text, as it comes. Of a terminal it is raw; otherwise it comes in frames (type, length, bytes),
 * taken apart here: docker-modem's own demux is quadratic, ignores back-pressure and takes an error frame for the end of
 * frames. By `logs`, never by `attach`: a stalled reader of `attach` stops the container.
 */
import type { IncomingMessage } from "node:http";
import { StringDecoder } from "node:string_decoder";
import type { Engine } from "./docker.ts";

export interface OutputOptions {
  readonly engine: Engine;
  readonly id: string;
  /** Wall time in ms since 1970: earlier output is left out. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/** Hands on what is written until the container ends, the engine goes or the signal fires. Lines end with "\n". */
export async function followOutput({ engine, id, since, signal }: OutputOptions, onText: (text: string) => void) {
  const info = await engine.container(id);
  if (!info) return;
  const stream: IncomingMessage = await engine.logs(id, { signal, since: since / 1_000 });
  const decoder = new StringDecoder("utf8");
  const frames = info.Config.Tty ? undefined : new Frames();
  for await (const chunk of stream) {
    for (const bytes of frames ? frames.push(chunk as Buffer) : [chunk as Buffer]) {
      onText(decoder.write(bytes).replaceAll("\r\n", "\n"));
    }
  }
  onText(decoder.end());
}

const HEADER = 8;

/** Takes a framed stream apart, however it is cut. Keeps at most one header. */
export class Frames {
  #header = Buffer.alloc(0);
  #left = 0;

  /** The payload in this chunk, in pieces that share its memory. @throws {RangeError} if these are no frames. */
  push(chunk: Buffer): Buffer[] {
    const found: Buffer[] = [];
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        const needed = chunk.subarray(at, at + HEADER - this.#header.length);
        this.#header = Buffer.concat([this.#header, needed]);
        at += needed.length;
        if (this.#header.length < HEADER) break;
        this.#left = sizeIn(this.#header);
        this.#header = Buffer.alloc(0);
        continue;
      }
      const piece = chunk.subarray(at, at + this.#left);
      at += piece.length;
      this.#left -= piece.length;
      found.push(piece);
    }
    return found;
  }
}

/** 0 to 2 are the streams, 3 is a word of the engine about the log itself. */
function sizeIn(header: Buffer): number {
  const [type = 255, ...zeros] = header.subarray(0, 4);
  if (type > 3 || zeros.some((byte) => byte !== 0)) throw new RangeError("not a framed stream");
  return header.readUInt32BE(4);
}
