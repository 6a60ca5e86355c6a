/** Words of WAMP. */

/** Whether a subscription gets what is published to a topic. In a wildcard an empty part stands for any. */
export function covers(pattern: string, match: string, topic: string): boolean {
  if (match === "prefix") return topic.startsWith(pattern);
  if (match !== "wildcard") return topic === pattern;
  const [asked, given] = [pattern.split("."), topic.split(".")];
  return asked.length === given.length && asked.every((part, at) => part === "" || part === given[at]);
}

/** Numbers of WAMP messages, as the specification gives them (WAMP-basic 6.5, advanced 11). */
export const CODE = {
  hello: 1,
  welcome: 2,
  abort: 3,
  challenge: 4,
  authenticate: 5,
  goodbye: 6,
  error: 8,
  publish: 16,
  published: 17,
  subscribe: 32,
  subscribed: 33,
  unsubscribe: 34,
  unsubscribed: 35,
  event: 36,
  call: 48,
  cancel: 49,
  result: 50,
  register: 64,
  registered: 65,
  unregister: 66,
  unregistered: 67,
  invocation: 68,
  interrupt: 69,
  yield: 70,
} as const;
