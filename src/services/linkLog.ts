/** Tells the log where links go and how each ended; keeps the last of both for the status, and what an end's sentence leaves out. */

import { linkWords } from "../model/linkCauses.ts";
import type { Log } from "./log.ts";
import type { Cause } from "./wampCauses.ts";

export type LinkWords = ReturnType<typeof linkWords> & { readonly detail?: string };

export class LinkLog {
  readonly #log: Log;
  readonly #now: () => number;
  #last: Cause | undefined;
  #url: string | undefined;

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** The address that was dialled last: an address that is changed in the file while a link is up is the next one's. */
  get url(): string | undefined {
    return this.#url;
  }

  dials(url: string): void {
    if (this.#url !== undefined && this.#url !== url) this.#log.info({ url }, "the router's address is another now");
    this.#url = url;
  }

  /** One cause that repeats itself is told once: a device may be offline for weeks. */
  ended(cause: Cause): void {
    const isNews = this.#last?.because !== cause.because || this.#last.detail !== cause.detail;
    this.#last = cause;
    const { says, todo } = linkWords(cause.because, this.#now());
    this.#log[isNews ? "info" : "debug"]({ ...cause, ...(todo && { todo }) }, `the link ended: ${says}`);
  }

  /** For an end that the connection machine shows; it keeps the word alone. */
  wordsOf(because: string): LinkWords {
    const detail = this.#last?.because === because ? this.#last.detail : "";
    return { ...linkWords(because, this.#now()), ...(detail && { detail }) };
  }
}
