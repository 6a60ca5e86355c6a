/**
 * A text that nobody gets to see by accident. Printed, put into JSON, into a template or into a log, cloned or spread, it
 * shows "[secret]" or nothing; only who calls `reveal` has the value.
 */

/** What `util.inspect`, and with it `console.log`, asks an object for. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;
const SHOWN = "[secret]";

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Each call is a place where it can leak, so there are few. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [INSPECT](): string {
    return SHOWN;
  }
}
