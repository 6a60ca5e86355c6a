// @ts-check
/** Something that the set-up cannot get past by itself. Its message is a sentence for the person who started it. */
export class Obstacle extends Error {}
