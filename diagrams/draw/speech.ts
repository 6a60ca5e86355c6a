/** How a name of the code is said to somebody who has never seen the code. */
import type { ChartTransition } from "./chart.ts";
import type { Layout } from "./layout.ts";

/** `startContainer` -> `start container` */
export const spaced = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);

export class Speech {
  readonly #words: Readonly<Record<string, string>>;
  readonly #hushed: ReadonlySet<string>;

  constructor({ words = {}, hushed = [] }: Layout) {
    this.#words = words;
    this.#hushed = new Set(hushed);
  }

  /** What happens, and if it may: `link.conflicted [maybe my ghost]`. */
  words({ kind, event, guard }: ChartTransition): string {
    const condition = this.#guard(guard);
    if (kind === "always") return condition ?? "";
    const said = kind === "done" ? "" : this.#say(event.replace(/^after /, ""));
    return [said, condition && `[${condition}]`].filter(Boolean).join(" ");
  }

  /** What is done without leaving the state: `app.hold: hold`. */
  stays(transition: ChartTransition): string {
    return `${this.words(transition)}: ${transition.actions.map((name) => spaced(name)).join(", ")}`;
  }

  #guard(whole: string | undefined): string | undefined {
    return whole
      ?.split(" & ")
      .filter((part) => !this.#hushed.has(part))
      .map((part) =>
        part
          .split(" | ")
          .map((each) => this.#say(each))
          .join(" or "),
      )
      .join(", ");
  }

  #say(name: string): string {
    const own = this.#words[name];
    if (own !== undefined) return own;
    if (name.startsWith("!")) return `not ${this.#say(name.slice(1))}`;
    return spaced(name.replace(/^(is|was)(?=[A-Z])/, "")).replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  }
}
