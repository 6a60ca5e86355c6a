/**
 * Fills the connection machine's `holdLink` slot with a Session: its facts become the machine's, with the number of the
 * attempt; each order runs one step and is answered by the fact of the same name, or by the end of the link.
 */
import type { LinkFact, LinkOrder } from "../model/link.ts";
import { type Cause, cause, isReason, RequestError } from "./wampCauses.ts";
import { Session } from "./wampSession.ts";
import type { SessionOptions } from "./wampSessionOptions.ts";

/** What each order does on a joined session. All of them have deadlines by their requests. */
export interface LinkSteps {
  /** The presence procedure, by `register(..., { force: false, patience: 0 })`. */
  claim(session: Session): Promise<void>;
  testify(session: Session): Promise<void>;
  /** True: the back end gave us another identity. */
  identify(session: Session): Promise<boolean>;
  register(session: Session): Promise<void>;
  synchronise(session: Session): Promise<void>;
}

export interface HeldLink {
  receive(order: LinkOrder): void;
  /** For leaving the state: cuts what is left, and says nothing more. */
  release(): void;
}

export interface LinkOptions extends Omit<SessionOptions, "onFact"> {
  /** Hears how it ended, whole: the machine is told the word alone. */
  readonly onEnd?: (cause: Cause) => void;
}

export function holdLink(
  attempt: number,
  { onEnd, ...options }: LinkOptions,
  steps: LinkSteps,
  sendBack: (fact: LinkFact) => void,
): HeldLink {
  let isHeld = true;
  const say = (fact: LinkFact): void => {
    if (isHeld) sendBack(fact);
  };
  const session = new Session({
    ...options,
    onFact: (fact) => {
      if (fact.type !== "lost") return say({ type: `link.${fact.type}`, attempt });
      if (isHeld) onEnd?.(fact.cause);
      say({ type: "link.lost", attempt, ending: fact.ending, because: fact.cause.because });
    },
  });

  const STEPS: Readonly<Record<LinkOrder["type"], () => Promise<LinkFact | undefined>>> = {
    "link.claim": () => steps.claim(session).then(() => ({ type: "link.claimed", attempt }), conflictOf),
    "link.testify": () => steps.testify(session).then(() => ({ type: "link.testified", attempt })),
    "link.identify": () =>
      steps.identify(session).then((isNewIdentity) => ({ type: "link.identified", attempt, isNewIdentity })),
    "link.register": () => steps.register(session).then(() => ({ type: "link.registered", attempt })),
    "link.synchronise": () => steps.synchronise(session).then(() => ({ type: "link.synchronised", attempt })),
    "link.leave": () => session.leave().then(() => undefined),
  };

  function conflictOf(error: unknown): LinkFact {
    const isTaken = error instanceof RequestError && /procedure_.*exists/.test(error.uri ?? "");
    if (isTaken) return { type: "link.conflicted", attempt };
    throw error;
  }

  return {
    receive({ type }) {
      STEPS[type]().then(
        (fact) => fact && say(fact),
        (error: unknown) => session.end(stepFailed(type, error)),
      );
    },
    release() {
      isHeld = false;
      session.close();
    },
  };
}

/** A WAMP error keeps its name, so that `endingOf` can sort it. */
function stepFailed(step: string, error: unknown) {
  if (error instanceof RequestError) {
    const reason = isReason(error.uri) ? error.uri : error.code;
    return cause("wamp", reason, `${step}: ${error.message}`);
  }
  return cause("ours", "internal", `${step}: ${String(error)}`);
}
