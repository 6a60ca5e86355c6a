/** What the agent says about an app, for somebody who follows its output on the device. */
import type { AgentWord, ShownLine } from "../model/logLine.ts";

export type Send = (lines: readonly ShownLine[]) => Promise<void>;

export const shown = ({ stamp, text }: AgentWord): ShownLine => ({ stream: "agent", stamp, text });

export interface WordTellerOptions {
  readonly words: () => readonly AgentWord[];
  /** Told already. */
  readonly said: readonly AgentWord[];
  readonly send: Send;
  /** Settles when what the container prints is told. */
  readonly printed: () => Promise<unknown>;
}

/** Tells the words of the agent as they come; those about an end after the output before it. */
export class WordTeller {
  readonly #options: WordTellerOptions;
  #last: AgentWord | undefined;
  #isTelling = false;

  constructor(options: WordTellerOptions) {
    this.#options = options;
    this.#last = options.said.at(-1);
  }

  readonly tell = (): void => {
    if (!this.#isTelling) void this.#tell();
  };

  async #tell(): Promise<void> {
    const { send, printed } = this.#options;
    this.#isTelling = true;
    for (let word = this.#next(); word; word = this.#next()) {
      this.#last = word;
      if (word.isLast) await printed().catch(() => {});
      await send([shown(word)]);
    }
    this.#isTelling = false;
  }

  #next(): AgentWord | undefined {
    const words = this.#options.words();
    return words[this.#last === undefined ? 0 : words.indexOf(this.#last) + 1];
  }
}
