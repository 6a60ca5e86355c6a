/**
 * What somebody who replaces the original agent has to show, one line each, and the test that shows it. Ids are stable:
 * docs/divergences.md names them. Groups: T transitions. R run, stop, remove. P pull. F recovery. U update. C crash loop.
 * D desired states. O what nobody knows. B boot. H host ports. K credentials. W connection. A input. L logs.
 */

export interface Case {
  readonly id: string;
  readonly says: string;
  /** File, and the name of the test as it is written there. */
  readonly where: readonly [file: string, test: string];
}

const APPS = "test/conformance/apps.test.ts";
const APP_MODEL = "test/machines/app.model.test.ts";
const TREE = "test/world/tree.test.ts";
const APP = "test/machines/app.test.ts";
const CONNECTION = "test/machines/connection.test.ts";
const LINK = "test/services/linkSteps.test.ts";
const PROCEDURES = "test/services/procedures.test.ts";
const PRIVILEGES = "test/services/privileges.test.ts";
const REQUEST = "test/model/wireRequest.test.ts";
const ORDERS = "test/services/orders.test.ts";
const ENGINE = "test/engine/conformance.test.ts";
const DAEMON = "test/engine/daemon.test.ts";
const TRANSITIONS = "test/conformance/transitions.test.ts";
const OUTCOMES = "test/model/outcomes.test.ts";
const FACTS = "test/services/dockerFacts.test.ts";
const UPDATE = "test/engine/update.test.ts";
const CREDENTIAL = "test/services/appCredential.test.ts";
const ORPHANS = "test/services/orphans.test.ts";
const PORTS = "test/services/hostPorts.test.ts";
const LOG = "test/services/logPublisher.test.ts";
const LISTENERS = "test/services/logListeners.test.ts";
const QUERY = "test/model/logQuery.test.ts";
const QUESTIONS = "test/engine/questions.test.ts";
const ROTATED = "test/services/rotatedFile.test.ts";
const LOG_QUERIES = "test/services/logQueries.test.ts";

export const CASES: readonly Case[] = [
  {
    id: "T1",
    says: "What the original does for a target in a state is done, at once or after the step in progress.",
    where: [TRANSITIONS, "%s, asked for %s: the original does %s, here it is %s"],
  },
  {
    id: "T2",
    says: "A cell that the original leaves empty, and a request while it is busy, get an outcome too.",
    where: [OUTCOMES, "in %s"],
  },
  {
    id: "T3",
    says: "What passes by is taken for what it leads to; what nobody knows is an error.",
    where: [REQUEST, "%s means %s"],
  },
  {
    id: "T4",
    says: "What the engine says of a container is what is known of the app: running, made, ended, paused.",
    where: [FACTS, "%s is %s"],
  },

  {
    id: "R1",
    says: "Run with the image here and no container: one is created and started; STARTING, RUNNING.",
    where: [ENGINE, "R1: with the image here one container is created and started"],
  },
  {
    id: "R2",
    says: "A container that is there and configured as wanted is used as it is.",
    where: [ENGINE, "R2: a container that is left over and does not run is replaced by a new one"],
  },
  {
    id: "R3",
    says: "A container that cannot be created: STARTING, then FAILED, never RUNNING.",
    where: [ENGINE, "R3: a container that cannot be created is STARTING, then FAILED, never RUNNING"],
  },
  {
    id: "R4",
    says: "A GPU's runtime that fails at the start: the container is made anew without it.",
    where: ["test/engine/gpu.test.ts", "R4: one that fails at the start is left out, and that is told"],
  },
  {
    id: "R5",
    says: "A container that ends during its start is a failure, and its output can be read.",
    where: [DAEMON, "a container that ends at once: its output is read all the same"],
  },
  {
    id: "R7",
    says: "A stop stops the container and removes it: STOPPING, PRESENT.",
    where: [ENGINE, "R7: a stop stops and removes the container"],
  },
  {
    id: "R8",
    says: "A stop that the engine refuses: STOPPING, then FAILED.",
    where: [ENGINE, "R8: a stop that the engine refuses is STOPPING, then FAILED; asked again it stops"],
  },
  {
    id: "R9",
    says: "A removal without a container removes the images: DELETING, REMOVED.",
    where: [ENGINE, "R9: a removal without a container removes the images alone"],
  },
  {
    id: "R10",
    says: "An image that cannot be removed: DELETING, then FAILED.",
    where: [ENGINE, "R10: an image that cannot be removed is DELETING, then FAILED"],
  },
  {
    id: "R6",
    says: "What is left of a development app is removed before it runs.",
    where: [ENGINE, "R2: a container that is left over and does not run is replaced by a new one"],
  },
  {
    id: "R11",
    says: "An uninstallation takes away the data: DELETING, REMOVED, UNINSTALLED.",
    where: [UPDATE, "R11: an uninstallation takes away the data, follows no link, and leaves what others have"],
  },
  {
    id: "R12",
    says: "A stage that nobody knows never reaches the engine.",
    where: [PROCEDURES, "bad input %j of the platform: the original's words"],
  },

  {
    id: "P1",
    says: "A pull is told as DOWNLOADING, PRESENT.",
    where: [ENGINE, "P1: DOWNLOADING, PRESENT, with the engine's progress on the log topic"],
  },
  {
    id: "P2",
    says: "A development app is not pulled.",
    where: [APP, "a development app is never downloaded: without its image it fails, and says what to do"],
  },
  {
    id: "P3",
    says: "A pull that fails never ends in PRESENT.",
    where: [ENGINE, "P3: a tag that does not exist never ends in PRESENT, and is not tried again by itself"],
  },
  {
    id: "P4",
    says: "A login that is refused ends the download before it begins; never PRESENT.",
    where: ["test/engine/login.test.ts", "P4: a login that is refused is FAILED, says so, and is tried again"],
  },
  {
    id: "P5",
    says: "A pull that is called off is no failure; nor is one during which the link is cut.",
    where: [ENGINE, "P5: a link that is cut while DOWNLOADING cuts nothing"],
  },
  {
    id: "P12",
    says: "PUBLISHED asked of a production app does nothing.",
    where: [REQUEST, "this agent cannot bring an app to PUBLISHED yet"],
  },

  {
    id: "F1",
    says: "RUNNING asked of a failed app: its container is removed by force, then it runs.",
    where: [ENGINE, "F1: to RUNNING: what is left is removed by force, then it runs"],
  },
  {
    id: "F2",
    says: "PRESENT asked of a failed app whose image is here: no pull.",
    where: [ENGINE, "F2: to PRESENT with its image here: no pull"],
  },
  {
    id: "F3",
    says: "PRESENT asked of a failed app without its image: a pull.",
    where: [ENGINE, "F3: to PRESENT without its image: a pull"],
  },
  {
    id: "F4",
    says: "An engine that cannot say which images are here is not taken for one without them.",
    where: [APPS, "while the engine cannot be asked nothing is told to have failed, and it goes on when it can"],
  },

  {
    id: "U1",
    says: "An update brings the newest version; afterwards the old image is gone.",
    where: [
      UPDATE,
      "a new version takes the place of the old one, which is there until it has proven itself, and then goes",
    ],
  },
  {
    id: "U2",
    says: "Without the flag nothing newer is pulled.",
    where: [REQUEST, "an update to the version that is here, or to none, or of what goes away, is no update"],
  },
  {
    id: "U3",
    says: "Equal versions are no update.",
    where: [REQUEST, "an update to the version that is here, or to none, or of what goes away, is no update"],
  },
  {
    id: "U4",
    says: "An app that shall be uninstalled is not updated first.",
    where: [REQUEST, "an update to the version that is here, or to none, or of what goes away, is no update"],
  },
  {
    id: "U5",
    says: "A version that is named is taken for the one that is here; an empty one leaves it.",
    where: [ORDERS, "who names no version keeps the one that is here"],
  },
  {
    id: "U6",
    says: "An update asked for in the middle of a step is done after it.",
    where: [OUTCOMES, "in %s"],
  },
  {
    id: "U7",
    says: "The last toggle counts, also during a download.",
    where: [APP_MODEL, "in the end the engine agrees with the last request, and no two containers ever ran"],
  },
  {
    id: "U8",
    says: "The end of an update is told: pending_remote_confirmation, then completed.",
    where: [
      APP,
      "the end of an update is told in three reports, a rolled back one in one, a called off one until it rests",
    ],
  },
  {
    id: "U9",
    says: "RUNNING asked during an update calls nothing off.",
    where: [UPDATE, "RUNNING alone calls nothing off: the update goes on"],
  },
  {
    id: "U10",
    says: "PRESENT, REMOVED and UNINSTALLED call an update off; one teardown, never FAILED.",
    where: [UPDATE, "by %s %j"],
  },
  {
    id: "U11",
    says: "An update whose download fails does not end in PRESENT.",
    where: [UPDATE, "a version that cannot be downloaded leaves the old one running"],
  },

  {
    id: "C1",
    says: "The first wait is 4 to 6 s, also if nothing was counted.",
    where: [APPS, "after %i failures in a row the wait is %i to %i ms"],
  },
  {
    id: "C2",
    says: "The second wait is 16 to 24 s.",
    where: [APPS, "after %i failures in a row the wait is %i to %i ms"],
  },
  {
    id: "C3",
    says: "After very many failures the wait is an hour, give or take a fifth.",
    where: [APPS, "after %i failures in a row the wait is %i to %i ms"],
  },
  {
    id: "C4",
    says: "One crash loop for each app.",
    where: [APP, "after crashes it waits 5, 20, 45 s and counts until ten minutes up"],
  },
  {
    id: "C5",
    says: "Ending a crash loop twice is as ending it once.",
    where: [APP, "retry skips the wait, hold ends it, a request clears both"],
  },
  {
    id: "C6",
    says: "A request by a person ends the crash loop.",
    where: [APP, "retry skips the wait, hold ends it, a request clears both"],
  },
  {
    id: "C7",
    says: "A stop asked for the moment FAILED is told stays.",
    where: [APPS, "a stop that is asked for the moment FAILED is told stays"],
  },
  {
    id: "C8",
    says: "A container that ended with 0, was killed, or was removed by hand is started again.",
    where: [APPS, "%s is told as FAILED, and the app runs again"],
  },
  {
    id: "C9",
    says: "A crash while the router is away is mended all the same.",
    where: [APPS, "a crash while the router is away is mended without it"],
  },

  {
    id: "D1",
    says: "A request for a new app makes it and keeps what was asked.",
    where: [ORDERS, "an order is on disk before the actor hears of it"],
  },
  {
    id: "D2",
    says: "A target that only passes by, as DOWNLOADING, is kept as what it leads to.",
    where: [REQUEST, "%s means %s"],
  },
  {
    id: "D5",
    says: "The list of a connect makes production apps and leaves development apps alone.",
    where: [REQUEST, "rows of development apps change nothing, and say that they are there"],
  },
  {
    id: "D6",
    says: "An owner's key of 0 does not overwrite the one that is known.",
    where: [ORDERS, "an owner that is not named does not overwrite the one who is known"],
  },
  {
    id: "D7",
    says: "What is kept about an app goes when it is removed as was wanted, and not when it shall run.",
    where: [ORDERS, "and that was wanted, and it is so"],
  },
  {
    id: "D8",
    says: "A report that fails leaves the state on the device as it is.",
    where: [TREE, "a refused report stops nothing and blocks no other app"],
  },
  {
    id: "D9",
    says: "A refused report does not stop a start.",
    where: [TREE, "a refused report stops nothing and blocks no other app"],
  },
  {
    id: "D10",
    says: "A list that cannot be read removes nothing.",
    where: [REQUEST, "%j is no list, and says nothing at all"],
  },
  {
    id: "D11",
    says: "A request sent the moment a state is told is acted on.",
    where: [APPS, "a request that is sent the moment a state is told is acted on"],
  },
  {
    id: "O1",
    says: "A container of an app that nobody knows is removed, one of a known app is kept, a foreign one ignored.",
    where: [
      ORPHANS,
      "those with our serial number and an unknown app go; what is known, another device's, or says no app, stays",
    ],
  },
  {
    id: "O2",
    says: "One that cannot be removed, or a list that cannot be had, stops nothing.",
    where: [ORPHANS, "one that cannot be removed is told, and stops nothing; so is an engine that gives no list"],
  },
  {
    id: "O3",
    says: "An app that the list does not name goes; one that it names stays.",
    where: [ORDERS, "goes, and nothing is told of it; when it is gone it is forgotten"],
  },

  {
    id: "O4",
    says: "A compose project, and another device's container, are left alone.",
    where: [
      "test/engine/sync.test.ts",
      "O: orphans of this device go; another device's, foreign ones and a compose project's stay",
    ],
  },

  {
    id: "B1",
    says: "At a boot no app that is not here is downloaded before the list can be had.",
    where: [
      "test/services/uplink.test.ts",
      "before a download the studio may speak first: until the first link, or until it has had its time",
    ],
  },
  {
    id: "B2",
    says: "At a boot what is here is run without the network.",
    where: [DAEMON, "a cold boot without a router: the app runs, and is told when there is one"],
  },

  {
    id: "H1",
    says: "An app that asks again gets the same port.",
    where: [PORTS, "the first free ones of the pool, each for one app; kept from then on"],
  },
  {
    id: "H2",
    says: "A hundred apps at once get a hundred ports.",
    where: [PORTS, "a hundred apps at once get a hundred ports"],
  },
  {
    id: "H3",
    says: "The port that a container has is taken without a probe, unless another app has it.",
    where: [
      PORTS,
      "what a container has goes before what the back end wishes, and that before the pool; never what another app has",
    ],
  },
  {
    id: "H4",
    says: "A port that is taken at the start: that one is exchanged, the others stay.",
    where: [
      "test/engine/ports.test.ts",
      "one that a program of the device took meanwhile is exchanged, and that is told",
    ],
  },
  {
    id: "H5",
    says: "What an app had is free when it is uninstalled, and nothing else.",
    where: ["test/services/store.test.ts", "what is released is free: its ports and its folder's name"],
  },
  {
    id: "H6",
    says: "A development app gets the port that it declares; the second one that does gets another.",
    where: [PORTS, "of a development app it is the declared one, as long as nobody else has it"],
  },
  {
    id: "K1",
    says: "The credential of an app is that of the original's vector; without a key there is none.",
    where: [CREDENTIAL, "the vector of the original: key, serial number, app 33, PROD, epoch 1"],
  },

  {
    id: "W1",
    says: "The router is dialled until it takes the device: after two failures at the third time.",
    where: [LINK, "a router that refuses twice is dialled a third time"],
  },
  {
    id: "W2",
    says: "The realm is the right one, the URL that of the device's file.",
    where: [LINK, "HELLO says realm and authid, and offers nothing but wampcra; the URL is dialled as it is"],
  },
  {
    id: "W3",
    says: "After a drop the link is made anew, once.",
    where: [LINK, "after a drop every registration is made again, and the testament, and calls are answered"],
  },
  { id: "W4", says: "Five drops in a row are as one.", where: [LINK, "five drops in a row"] },
  {
    id: "W5",
    says: "A defect in what runs on a fresh link does not end the dialling.",
    where: [CONNECTION, "[1] a link that throws while it is made is a loss, not the end of the machine"],
  },
  {
    id: "W6",
    says: "A close during the dial is over within 2 s.",
    where: [LINK, "a stop during the dial is over at once, and nothing is left of it"],
  },
  { id: "W7", says: "A close may be asked for twice.", where: [CONNECTION, "in every state, and twice"] },
  {
    id: "W8",
    says: "A second device with the same serial number is found out after eight tries.",
    where: [CONNECTION, "[5] our own ghost is tolerated for 16 s in one session, a real twin is not"],
  },
  {
    id: "W9",
    says: "A single conflict, by our own ghost, is got over.",
    where: [LINK, "is there first, and is not taken by force: a second device is told so"],
  },
  {
    id: "W10",
    says: "A secret that the router refuses is said as what it is.",
    where: [LINK, "a wrong secret is said and waited out, and ends nothing"],
  },
  {
    id: "W11",
    says: "Heartbeats that are not answered end the session, not the process.",
    where: [LINK, "two that are missed: one new session, and no more of them for a while"],
  },
  {
    id: "W12",
    says: "A device that was moved to another swarm dials again with its new authid.",
    where: [LINK, "is heard before anything is told with the old key, and dialled with the new one"],
  },
  { id: "W13", says: "The testament says who is gone, and is left in each session.", where: [LINK, "after %s"] },
  {
    id: "W14",
    says: "After a reconnect every procedure is registered again.",
    where: [LINK, "after a drop every registration is made again, and the testament, and calls are answered"],
  },

  {
    id: "A1",
    says: "Input that is wrong is refused with the original's words, and never ends the process.",
    where: [PROCEDURES, "lives through input of every bad kind, with one sentence at most"],
  },
  {
    id: "A2",
    says: "Who may not is refused before anything has happened.",
    where: [PROCEDURES, "a request that is denied changes nothing, whoever else it names"],
  },
  {
    id: "A3",
    says: "A privilege that cannot be looked up is told in other words than one that is missing.",
    where: [
      PROCEDURES,
      "a back end that answers %s cannot tell: that is another sentence than a denial, and nothing is done",
    ],
  },
  {
    id: "A4",
    says: "The platform may act for an account that it names, as a number or in digits.",
    where: [PRIVILEGES, "the platform for an account in digits"],
  },

  {
    id: "A5",
    says: "Each question asks for its level before anything is done, for the account that the platform acts for.",
    where: [
      PROCEDURES,
      "each question asks for its level before anything is done; on behalf of an account, in both forms, for that account",
    ],
  },
  {
    id: "A6",
    says: "A question that is none is refused with the original's words.",
    where: [QUERY, "%j is refused: %s"],
  },

  {
    id: "L1",
    says: "Output is text, words of the agent are objects, both on the topic of the container.",
    where: [LOG, "a word goes out at once, alone, and after the lines before it"],
  },
  {
    id: "L2",
    says: "LOGGER_CLEAR empties the view, and nothing older comes after it.",
    where: [LOG, "a word goes out at once, alone, and after the lines before it"],
  },
  {
    id: "L3",
    says: "Lines of 200 ms are one message.",
    where: [LOG, "lines are collected for 200 ms and go out as one message"],
  },
  {
    id: "L4",
    says: "A flush of nothing is silent.",
    where: [LOG, "a flush of nothing is silent, and no timer is left"],
  },
  {
    id: "L5",
    says: "400 KB at once: no message has more than 256 KiB.",
    where: [LOG, "4 lines of 100 KB go out in messages of at most 256 KiB, as fast as they are taken"],
  },
  {
    id: "L6",
    says: "1.5 MB at once: no more than is bounded waits.",
    where: [LOG, "a writer is held up when 96 KiB wait, and goes on when there is room; nothing is dropped"],
  },
  {
    id: "L7",
    says: "What waits at the end of the output goes out.",
    where: [
      "test/engine/logs.test.ts",
      "long lines come whole, without the engine's seams; what is no UTF-8 stays readable; an end without a newline counts",
    ],
  },
  {
    id: "L8",
    says: "Who listens is asked of the router; a list, null and one number are answers.",
    where: [LISTENERS, "a match that answers %j is %s"],
  },
  {
    id: "L9",
    says: "The end of an old subscription switches nothing off for a new one.",
    where: [LISTENERS, "a browser that is refreshed: the late end of its old subscription switches nothing off"],
  },
  {
    id: "L10",
    says: "A subscription by prefix is one too.",
    where: [LISTENERS, "a subscription of %s, %s: heard is %s"],
  },
  {
    id: "L11",
    says: "Of ten lines the last three; with an offset of two those before; beyond the beginning none.",
    where: [QUESTIONS, "the last lines, by number and offset; what is not there is empty"],
  },
  {
    id: "L12",
    says: "No more than 5,000 lines are read for a question.",
    where: [QUERY, "%j is understood"],
  },
  {
    id: "L13",
    says: "A window is told to the engine as instants of the device's clock.",
    where: [QUESTIONS, "a window is by the device's clock"],
  },
  {
    id: "L14",
    says: "Without a container the history that was kept answers; a name that nobody knows has none.",
    where: [QUESTIONS, "when the container is gone, the last that was kept is there"],
  },
  {
    id: "L15",
    says: "The flat history prefers what was kept, and has the container's lines else.",
    where: [QUESTIONS, "the flat history has the container's lines and the agent's words, in order"],
  },
  {
    id: "L16",
    says: "The device's log by severity and window, over its files, with lines that are no JSON.",
    where: [ROTATED, "by level, window and number; what is no JSON goes with the line before it"],
  },
  {
    id: "L17",
    says: "An engine that fails is an error, not an empty log.",
    where: [LOG_QUERIES, "an engine that fails is an error, and not taken for a container that is gone"],
  },
];

/** Cases of what is not there yet: which of it, and what happens instead. No test can show them before. */
export const LATER: readonly (Pick<Case, "id" | "says"> & { readonly now: string })[] = [
  {
    id: "P6",
    says: "A production app is not built.",
    now: "BUILT is refused for every app, with the reason.",
  },
  {
    id: "P7",
    says: "A build is told as REMOVED, BUILDING, BUILT, then PRESENT.",
    now: "BUILT is refused for every app, with the reason.",
  },
  {
    id: "P8",
    says: "An error in the middle of a build's output fails the build.",
    now: "BUILT is refused for every app, with the reason.",
  },
  {
    id: "P9",
    says: "A publication is told as BUILT, PUBLISHING, PUBLISHED.",
    now: "PUBLISHED is refused for every app, with the reason.",
  },
  {
    id: "P10",
    says: "A tag that cannot be set fails before PUBLISHING.",
    now: "PUBLISHED is refused for every app, with the reason.",
  },
  {
    id: "P11",
    says: "An upload that fails does so after PUBLISHING.",
    now: "PUBLISHED is refused for every app, with the reason.",
  },
  {
    id: "F5",
    says: "A development app that failed is built anew.",
    now: "Its container is made anew of the image that is here; without one it fails and says that it has to be built.",
  },
  {
    id: "D3",
    says: "A built app keeps its target PRESENT when RUNNING is asked.",
    now: "No app is ever BUILT.",
  },
  {
    id: "D4",
    says: "A built app can be uninstalled.",
    now: "No app is ever BUILT.",
  },
  {
    id: "O5",
    says: "The services of a known compose app are kept.",
    now: "An app with a compose file is refused, and no compose project is touched.",
  },
  {
    id: "O6",
    says: "A compose project of an app that nobody knows, by its name, is removed.",
    now: "No compose project is touched.",
  },
  {
    id: "O7",
    says: "A compose project of somebody else is left alone.",
    now: "No compose project is touched.",
  },
  {
    id: "B3",
    says: "At a boot nothing is built or published.",
    now: "BUILT and PUBLISHED are refused, so none is ever wanted.",
  },
];
