/** Standard output for a log that must not hold up who logs: a terminal may be closed, a pipe unread, a file's disk full. */
import { type DestinationStream, destination } from "pino";

/** Bytes that wait for an output that takes none; lines that come then are not shown. */
const MOST_WAITING = 1 << 20;
/** What it may be waited for in all, ms, since its reader may only be slow; and how much of the time that goes by is added. */
const PATIENCE = { most: 500, share: 0.01 };
/** How long sonic-boom waits, stopping everything, ms. */
const WAIT = 100;
/** While no more can wait it is tried once in so long, ms: a try costs as much as a line. */
const TRY_EVERY = 10;

/** Written at once, so none is lost in a crash. What waits is shown with the next line once it is read again. */
export function standardOutput(): DestinationStream {
  let [patience, at, triedAt] = [PATIENCE.most, 0, 0];
  const isWaitedFor = () => {
    const now = performance.now();
    patience = Math.min(patience + (now - at) * PATIENCE.share, PATIENCE.most);
    at = now;
    if (patience < WAIT) return false;
    patience -= WAIT;
    return true;
  };
  const out = destination({ fd: 1, sync: true, maxLength: MOST_WAITING, retryEAGAIN: isWaitedFor });
  out.on("error", () => {
    // Nobody is there to be told.
  });
  out.on("drop", () => {
    if (performance.now() - triedAt < TRY_EVERY) return;
    triedAt = performance.now();
    out.write("");
  });
  return out;
}
