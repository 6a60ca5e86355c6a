/**
 * Brings an app's log to its topic: lines collected for 200 ms, at most 256 KiB a message, and between them words of the agent,
 * each a message of its own. Lines of a container wait in the engine's own files while the line takes no more, so whoever
 * reads them is held up; progress is nobody's history, so what is too much of it is left out and counted.
 *
 * A message counts as delivered when the router has confirmed it. One that was under way when the link broke may have
 * arrived or not: it is not sent again, and its lines are told as unconfirmed.
 */
import { type Ms, ms } from "../model/duration.ts";
import type { Marks } from "../model/logLine.ts";
import type { FreshLine } from "./logFollower.ts";
import {
  countOf,
  type Gap,
  type Item,
  itemsOf,
  type Lines,
  marksAfter,
  progressItem,
  type Word,
  wordsOf,
} from "./logItems.ts";
import type { LogTurns } from "./logTurns.ts";

/** confirmed: the router has it. refused: it takes none of these. lost: nobody knows. */
export type Fate = "confirmed" | "refused" | "lost";

export interface LogPublisherOptions {
  readonly turns: LogTurns;
  readonly send: (message: string | Word) => Promise<Fate>;
  /** Lines up to these marks are sent, the last `unconfirmed` of them without a confirmation yet. */
  readonly onMoved?: (marks: Marks, unconfirmed: number) => void;
  /** Default is 200 ms. */
  readonly every?: Ms;
}

const LARGEST_MESSAGE = 256 * 1024;
/** A message of so much is enough: what comes after it on the line, an answer say, waits for all of it. */
const BATCH = 64 * 1024;
/** Bytes of lines that wait here before their reader does. */
const LONGEST_BACKLOG = 96 * 1024;
/** Words that wait for a link; of more the oldest go. */
const MOST_WORDS = 100;
const MOST_UNDER_WAY = 16;
/** Bytes of a marker, generously. */
const LONGEST_MARKER = 128;
/** One has to fit beside lines. */
const ROOM = LARGEST_MESSAGE - LONGEST_MARKER;

export const UNCONFIRMED = "unconfirmed when the link broke";
const TOO_FAST = "rate limit";
const REFUSED = "the router refuses them";

export class LogPublisher {
  readonly #options: LogPublisherOptions;
  #items: Item[] = [];
  /** Bytes of lines that wait. */
  #waiting = 0;
  /** Items that need not be collected any longer. */
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  #marks: Marks = {};
  #underWay = 0;
  #unconfirmed = 0;
  #refused = 0;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(options: LogPublisherOptions) {
    this.#options = options;
  }

  /** Lines of the container. Resolves when more may come. */
  take(lines: readonly FreshLine[]): Promise<void> | undefined {
    for (const item of itemsOf(lines, ROOM))
      if ("dropped" in item) this.gap(item.dropped, item.reason);
      else this.#keep(item);
    this.#beatLater();
    if (this.#waiting < LONGEST_BACKLOG) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** A line of the engine's progress, which nobody holds up. */
  progress(text: string): void {
    const item = progressItem(text);
    if (this.#waiting + item.bytes > LONGEST_BACKLOG) this.gap(1, TOO_FAST);
    else this.#keep(item);
    this.#beatLater();
  }

  /** A word of the agent: goes out at once, after all that waits. */
  say(word: Word): void {
    this.#items.push(word);
    const words = this.#items.filter((item) => "chunk" in item);
    if (words.length > MOST_WORDS) this.#items.splice(this.#items.indexOf(words[0] as Word), 1);
    this.flush();
  }

  /** Tells where lines are missing. Those for one reason that follow each other are one. */
  gap(dropped: number, reason: string): void {
    const last = this.#items.at(-1);
    if (last && "dropped" in last && last.reason === reason)
      this.#items[this.#items.length - 1] = { reason, dropped: last.dropped + dropped };
    else this.#items.push({ dropped, reason });
  }

  /** All that waits goes out as soon as the line takes it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = this.#items.length;
    if (this.#due > 0 && this.#underWay < MOST_UNDER_WAY) this.#options.turns.ask(this.#sendNext);
  }

  /** What was sent before this process, or before somebody listened. */
  begin(marks: Marks): void {
    this.#marks = marks;
  }

  /** Nobody listens to lines any more: forgets those that wait. */
  forget(): void {
    this.#items = this.#items.filter((item) => "chunk" in item);
    this.#waiting = 0;
    this.#due = Math.min(this.#due, this.#items.length);
    this.#release();
  }

  /** For an app that is gone. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.turns.leave(this.#sendNext);
    this.#items = [];
    this.forget();
  }

  #keep(lines: Lines): void {
    if (this.#refused > 0) this.gap(this.#refused, REFUSED);
    this.#refused = 0;
    this.#items.push(lines);
    this.#waiting += lines.bytes;
  }

  #beatLater(): void {
    if (this.#waiting >= BATCH) this.flush();
    else if (this.#items.length > 0) this.#timer ??= setTimeout(() => this.flush(), this.#options.every ?? ms(200));
  }

  readonly #sendNext = (): void => {
    const { message, items, marks } = this.#nextMessage();
    if (items.length === 0) return;
    const lines = items.reduce((sum, item) => sum + countOf(item), 0);
    this.#items.splice(0, items.length);
    this.#due = Math.max(this.#due - items.length, 0);
    this.#waiting -= items.reduce((sum, item) => sum + ("bytes" in item ? item.bytes : 0), 0);
    this.#move(marks, lines);
    this.#underWay++;
    void this.#options.send(message).then((fate) => this.#settle(fate, lines));
    if (this.#waiting < LONGEST_BACKLOG) this.#release();
    this.#goOn();
  };

  #settle(fate: Fate, lines: number): void {
    this.#underWay--;
    this.#move(this.#marks, -lines);
    if (fate === "refused") this.#refused += lines;
    if (fate === "lost" && lines > 0) {
      const [first] = this.#items;
      const isSame = first !== undefined && "dropped" in first && first.reason === UNCONFIRMED;
      if (isSame) this.#items[0] = { ...first, dropped: first.dropped + lines };
      else this.#items.unshift({ dropped: lines, reason: UNCONFIRMED });
      this.#due++;
    }
    this.#goOn();
  }

  #goOn(): void {
    if (this.#due > 0 && this.#underWay < MOST_UNDER_WAY) this.#options.turns.ask(this.#sendNext);
    else this.#beatLater();
  }

  #move(marks: Marks, lines: number): void {
    this.#unconfirmed += lines;
    this.#marks = marks;
    if (lines !== 0) this.#options.onMoved?.(marks, this.#unconfirmed);
  }

  #release(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** A word alone, or lines and gaps up to the next word. */
  #nextMessage(): { message: string | Word; items: readonly Item[]; marks: Marks } {
    const [first] = this.#items;
    if (first && "chunk" in first) return { message: first, items: [first], marks: this.#marks };
    const items: (Lines | Gap)[] = [];
    let length = 0;
    for (const item of this.#items) {
      if ("chunk" in item) break;
      length += "text" in item ? item.bytes : LONGEST_MARKER;
      if (items.length > 0 && length > BATCH) break;
      items.push(item);
    }
    return { message: items.map(wordsOf).join("\n"), items, marks: marksAfter(items, this.#marks) };
  }
}
