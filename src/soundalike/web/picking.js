/* Places for one track: empty, a field that finds one; filled, its name and a way to empty it again. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./names.js";
import { link } from "./routes.js";
import { searchField } from "./search.js";

/**
 * @param {string} label
 * @param {import("./names.js").Track|undefined} track
 * @param {(id: string) => void} onpick called with "" when it is emptied
 */
export function slot(label, track, onpick) {
  const inside = track
    ? h("div", { class: "chip like" }, h("a", { href: link("similar", { like: track.id }) }, nameOf(track)),
      h("button", { type: "button", class: "icon", "aria-label": `${label}: choose another than ${nameOf(track)}`, onclick: () => onpick("") }, icon("remove")))
    : searchField({ label, placeholder: "A title, an artist, an album", onpick: (found) => onpick(found.id) });
  return h("div", { class: "slot" }, h("span", { class: "label", "aria-hidden": "true" }, label), inside);
}
