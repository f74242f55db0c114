// Names in messages: `@name` is a mention of the person with that name. Pure.

const LONGEST_LIST = 8;
const MOST_MENTIONS = 20;

/** What is typed of a name just before the caret: {from, start}; null if no name is being typed. */
export function typed(text, caret) {
  const from = text.lastIndexOf("@", caret - 1);
  if (from < 0 || caret <= from || (from > 0 && !/\s/.test(text[from - 1]))) return null;
  const start = text.slice(from + 1, caret);
  return start.length <= 40 && !/\n/.test(start) ? { from, start } : null;
}

/** People whose name begins so, or has a word that does; the nearest first. */
export function candidates(people, start) {
  const wanted = start.toLocaleLowerCase();
  const rank = ({ display_name: text }) => {
    const lower = text.toLocaleLowerCase();
    return lower.startsWith(wanted) ? 0 : lower.split(/\s+/).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  return people.filter((person) => rank(person) < 2)
    .sort((one, other) => rank(one) - rank(other) || one.display_name.localeCompare(other.display_name))
    .slice(0, LONGEST_LIST);
}

const longestFirst = (people) => [...people].sort((one, other) => other.display_name.length - one.display_name.length);

/** The text in pieces; a piece that names one of `people` has the `userId`. */
function split(text, people) {
  const parts = [];
  const names = longestFirst(people);
  let plain = "";
  for (let at = 0; at < text.length;) {
    const person = text[at] === "@" && names.find(({ display_name: each }) => text.startsWith(each, at + 1));
    if (person) {
      if (plain) parts.push({ text: plain });
      plain = "";
      parts.push({ text: `@${person.display_name}`, userId: person.user_id });
      at += person.display_name.length + 1;
    } else {
      plain += text[at++];
    }
  }
  if (plain) parts.push({ text: plain });
  return parts;
}

/** The ids of those whom a text names. */
export const mentioned = (text, people) =>
  [...new Set(split(text, people).flatMap(({ userId }) => userId ?? []))].slice(0, MOST_MENTIONS);

/** A message in pieces; only those are mentions whom the message itself counts as such. */
export const pieces = ({ content, mentions }, people) =>
  split(content, people.filter((person) => mentions.includes(person.user_id)));
