/** What an app knows of its containers after one more fact. */
import type { Container, ContainerFact, Facts } from "./app.ts";

/** The facts after one more fact; as they were if it says nothing about this app's present containers. */
export function noted(facts: Facts, fact: ContainerFact): Facts {
  const { container, kept } = facts;
  if (fact.type === "container.started") {
    return kept?.id === fact.container.id
      ? { ...facts, kept: fact.container }
      : { ...facts, container: fact.container };
  }
  if (fact.type === "container.removed" && kept?.id === fact.id) return { ...facts, kept: undefined };
  if (container?.id !== fact.id) return facts;
  return { ...facts, container: after(container, fact) };
}

function after(
  container: Container,
  fact: Exclude<ContainerFact, { type: "container.started" }>,
): Container | undefined {
  switch (fact.type) {
    case "container.removed":
      return undefined;
    case "container.paused":
      return container.is === "up" ? { ...container, paused: true } : container;
    case "container.health":
      return { ...container, health: fact.health, healthSays: fact.healthSays };
    case "container.exited": {
      const isOfOlderRun = container.is === "up" && container.startedAt !== fact.startedAt;
      const { paused: _, ...rest } = container;
      const { type: __, ...end } = fact;
      return isOfOlderRun ? container : { ...rest, ...end, is: "down", exitCode: fact.exitCode };
    }
  }
}
