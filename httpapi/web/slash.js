// Slash commands in messages: `/name` at the very beginning is one that a bot of the room offers. Pure.

const LONGEST_LIST = 8;

/** What is typed of a command's name just before the caret: {start}; null if none is being typed. */
export function typedSlash(text, caret) {
  const found = /^\/([a-z0-9-]{0,32})$/.exec(text.slice(0, caret));
  return found ? { start: found[1] } : null;
}

/** The commands of a room whose name begins so, by name: {name, description, hint, bot}. */
export function offered(slash, start) {
  return Object.values(slash ?? {})
    .flatMap(({ bot, commands }) => commands.map((command) => ({ ...command, bot })))
    .filter(({ name }) => name.startsWith(start))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .slice(0, LONGEST_LIST);
}
