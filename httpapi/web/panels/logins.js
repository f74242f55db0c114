// My logins: where I am signed in, each with a button that ends it.

import { send } from "../api.js";
import { el, name, when } from "../dom.js";
import { pagedList } from "../lists.js";
import { attempt } from "../notices.js";

const BROWSERS = [["Firefox/", "Firefox"], ["Edg/", "Edge"], ["OPR/", "Opera"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]];
const first = (known, text) => known.find(([part]) => text.includes(part))?.[1];

/** What calls itself so, in words; a program's own name as it is. */
function agentWords(text) {
  const browser = first(BROWSERS, text);
  const system = first(SYSTEMS, text);
  if (browser) return system ? `${browser} on ${system}` : browser;
  return text || "An unnamed program";
}

export function loginList() {
  const row = (login) => {
    const what = agentWords(login.user_agent);
    const end = () => attempt(async () => {
      await send("DELETE", `/auth/logins/${login.login_id}`);
      await list.refresh();
    }, node);
    const node = el("li", { class: "row login", "data-login": login.login_id },
      el("span", { class: "grow" }, el("span", { class: "block" }, name(what)),
        el("span", { class: "quiet" }, `since ${when(login.created_at)}, last used ${when(login.last_used_at)}`)),
      login.is_current ? el("span", { class: "badge" }, "this one")
        : el("button", { "aria-label": `End the login: ${what}, since ${when(login.created_at)}`, "data-act": "end-login", onclick: end }, "End"));
    return node;
  };
  const list = pagedList({ id: "logins", "aria-labelledby": "logins-title" }, { path: () => "/auth/logins", row, empty: "No login." });
  return list;
}
