/**
 * The log of one app on its way to the studio: the output of its containers, one after the other, as long as somebody
 * listens, and between it the words of the agent. All of it goes out on one topic, in order.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { AppId, Run } from "../model/app.ts";
import { ms } from "../model/duration.ts";
import { type AgentWord, type Marks, marksAt, newestOf, stampOf } from "../model/logLine.ts";
import type { Engine } from "./docker.ts";
import { type FreshLine, follow, freshOf } from "./logFollower.ts";
import type { Word } from "./logItems.ts";
import type { Hearing } from "./logListeners.ts";
import { type Fate, LogPublisher } from "./logPublisher.ts";
import type { LogShelf } from "./logShelf.ts";
import { LogSieve } from "./logSieve.ts";
import type { LogTurns } from "./logTurns.ts";

export interface AppLogOptions {
  readonly app: AppId;
  readonly engine: Engine;
  readonly turns: LogTurns;
  readonly shelf: LogShelf;
  readonly send: (message: string | Word) => Promise<Fate>;
  readonly now: () => number;
  readonly onProblem: (error: unknown) => void;
}

/** The container whose output is handed on, or was last. */
interface Source {
  readonly id: string;
  readonly sieve: LogSieve;
  isDone: boolean;
}

/** Words of the agent that are remembered. */
const MOST_WORDS = 50;
/** How long a word about an end waits for the output before it, which may have far to go. */
const LAST_WORDS_WAIT = ms(2_000);

export class AppLog {
  readonly #options: AppLogOptions;
  readonly #publisher: LogPublisher;
  #source: Source | undefined;
  #hearing: Hearing = "cut";
  /** Lines from here on are for those who listen: where they, or this process, began. Undefined while nobody does. */
  #marks: Marks | undefined;
  #said: readonly AgentWord[] = [];
  /** Settles when the output that is being handed on is over. */
  #following: Promise<void> | undefined;
  /** The run whose output was over last, and what settles at the end of the next one. */
  #over: Run | undefined;
  #ended = Promise.withResolvers<void>();
  /** Words that wait for an output; all later ones wait behind them. */
  #words: Promise<void> | undefined;

  constructor(options: AppLogOptions) {
    this.#options = options;
    this.#publisher = new LogPublisher({
      turns: options.turns,
      send: options.send,
      onMoved: (marks, unconfirmed) => this.#moved(marks, unconfirmed),
    });
    this.#resume();
  }

  /** Somebody listened when the last process ended. */
  get wasHeard(): boolean {
    return this.#marks !== undefined;
  }

  /** The last words of the agent, oldest first. */
  get words(): readonly AgentWord[] {
    return this.#said;
  }

  /** A word of the agent; `LOGGER_CLEAR` empties the view. */
  say(text: string): void {
    this.#say(text, false);
  }

  /**
   * A word about an end: after all that was printed before it.
   *
   * @param run that has ended; the reading of its output may not have begun
   */
  sayLast(text: string, run?: Run): void {
    const isUnread = run ? this.#marks !== undefined && !isSame(run, this.#over) : this.#following !== undefined;
    if (isUnread) this.#words = Promise.all([this.#words, this.#nextOutput()]).then(() => {});
    this.#say(text, true);
  }

  /** A line of the engine's progress, a JSON object. */
  progress(line: string): void {
    if (this.#hearing !== "unheard") this.#publisher.progress(line);
  }

  hear(hearing: Hearing): void {
    this.#hearing = hearing;
    if (hearing === "heard" && !this.#marks) this.#begin();
    if (hearing === "unheard") this.#end();
  }

  /** Hands on what a container prints, and what it printed since somebody listens; resolves at its end. */
  async follow(run: Run, signal: AbortSignal): Promise<void> {
    const done = this.#follow(run.id, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#options.onProblem(error);
    });
    this.#following = done;
    await done;
    if (this.#following === done) this.#following = undefined;
    if (signal.aborted) return;
    this.#over = run;
    this.#ended.resolve();
    this.#ended = Promise.withResolvers();
  }

  /** Resolves when the output of a container that ended is handed on, or after a while. */
  async rest(): Promise<void> {
    if (this.#following !== undefined)
      await Promise.race([this.#following, sleep(LAST_WORDS_WAIT, undefined, { ref: false })]);
  }

  close(): void {
    this.#publisher.close();
  }

  /** Settles when the next output is handed on, or after a while. */
  async #nextOutput(): Promise<void> {
    await Promise.race([this.#ended.promise, sleep(LAST_WORDS_WAIT, undefined, { ref: false })]);
  }

  #say(text: string, isLast: boolean): void {
    if (text === "LOGGER_CLEAR") this.#said = [];
    else this.#said = [...this.#said.slice(1 - MOST_WORDS), { stamp: stampOf(this.#options.now()), text, isLast }];
    const word: Word = { type: "build", chunk: text };
    if (this.#words === undefined) return this.#publisher.say(word);
    const said = this.#words.then(() => {
      this.#publisher.say(word);
      if (this.#words === said) this.#words = undefined;
    });
    this.#words = said;
  }

  async #follow(id: string, signal: AbortSignal): Promise<void> {
    const before = this.#source;
    if (before && before.id !== id && !before.isDone) await this.#handOn(before, signal);
    if (signal.aborted || !this.#marks) return;
    const source = before?.id === id ? before : this.#sourceOf(id, afterAll(before?.sieve.marks ?? this.#marks));
    this.#source = source;
    await this.#handOn(source, signal);
    this.#publisher.flush();
  }

  async #handOn(source: Source, signal: AbortSignal): Promise<void> {
    const { engine, now } = this.#options;
    const take = (lines: readonly FreshLine[]) => this.#publisher.take(lines);
    const wasThere = await follow({ engine, id: source.id, sieve: source.sieve, signal, now, take });
    if (signal.aborted) return;
    if (!wasThere) await this.#handOnKept(source, take);
    source.isDone = true;
  }

  /** Of a container that is gone, the last that was kept. */
  async #handOnKept({ id, sieve }: Source, take: (lines: readonly FreshLine[]) => Promise<void> | undefined) {
    const kept = this.#options.shelf.last(this.#options.app);
    if (kept?.container !== id) return;
    sieve.begin();
    const fresh = freshOf(kept.lines, sieve);
    if (fresh.length > 0) await take(fresh);
  }

  #begin(): void {
    this.#marks = marksAt(stampOf(this.#options.now()));
    this.#publisher.begin(this.#marks);
    this.#moved(this.#marks, 0);
  }

  #end(): void {
    this.#marks = undefined;
    this.#source = undefined;
    this.#publisher.forget();
    this.#options.shelf.dropCursor(this.#options.app);
  }

  /** From where the last process was. */
  #resume(): void {
    const cursor = this.#options.shelf.cursor(this.#options.app);
    if (!cursor) return;
    const { marks, container, unconfirmed } = cursor;
    this.#marks = marks;
    this.#source = container === "" ? undefined : this.#sourceOf(container, marks);
    this.#publisher.begin(marks);
    if (unconfirmed > 0) this.#publisher.gap(unconfirmed, "unconfirmed when the agent ended");
  }

  #sourceOf(id: string, marks: Marks): Source {
    return { id, sieve: new LogSieve(marks, this.#options.now), isDone: false };
  }

  #moved(marks: Marks, unconfirmed: number): void {
    if (!this.#marks) return;
    this.#options.shelf.keepCursor(this.#options.app, { container: this.#source?.id ?? "", marks, unconfirmed });
  }
}

const isSame = (run: Run, other: Run | undefined): boolean => run.id === other?.id && run.startedAt === other.startedAt;

/** For another container, none of whose lines is known. */
const afterAll = (marks: Marks): Marks => marksAt(newestOf(marks) ?? "");
