// Reactions to the music leave nothing in a snapshot: they are shown when they come.

export const REACTIONS = {
  "reactions.counted"() {},
};
