// Handing a room over to somebody.

import { ask } from "../dialog.js";

/** Ask first: nobody but the new owner could take it back. */
export const handOver = (room, person) => ask({
  id: "owner-form",
  title: `Hand the room over to ${person.display_name}?`,
  why: "The room is theirs then, with all rights. You will be a moderator.",
  fields: [],
  label: "Hand it over",
  cancel: "Keep it",
  act: () => room.command({ type: "owner.transfer", user_id: person.user_id }),
});
