/** A module that tells when it runs, for the bundle's test: only when somebody asks for it. */
(globalThis as unknown as { loaded: string[] }).loaded.push("later");

export const answer = 42;
