/**
 * autobahn, tamed: to be imported instead of "autobahn". With AUTOBAHN_TRACE or AUTOBAHN_DEBUG set it would write every
 * frame, AUTHENTICATE too, so both are gone before it loads; and it warns on the console at each close.
 */
import "./autobahnTraceless.ts";
import autobahn from "autobahn";

autobahn.log.warn = () => {};

export { autobahn };
