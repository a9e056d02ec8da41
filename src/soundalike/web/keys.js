/* Single keys: / to find, space to play, n and p in the queue, ? for help. They rest while one types, and can be
   switched off, for those whose voice or switch types letters by accident. */

import { h } from "./dom.js";
import { player } from "./player.js";

const KEYS = [
  ["/", "Find a track"], ["Space", "Play or pause"], ["n", "Next track, or the answer's passage"],
  ["p", "Previous track"], ["m", "Mute"], ["?", "These keys"],
];
const KEPT = "keys";

function on() {
  return localStorage.getItem(KEPT) !== "off";
}

/** Listen to keys from now on. */
export function takeKeys() {
  const dialog = help();
  document.body.append(dialog);
  const does = {
    "/": () => (document.querySelector("main .search.large input") ?? document.querySelector("#search input"))?.focus(),
    " ": () => player.track && player.toggle(),
    n: () => player.next(),
    p: () => player.previous(),
    m: () => {
      player.audio.muted = !player.audio.muted;
      player.dispatchEvent(new Event("change"));
    },
    "?": () => dialog.showModal(),
  };
  addEventListener("keydown", (event) => {
    const work = does[event.key];
    if (!work || event.ctrlKey || event.metaKey || event.altKey || busy(event)) return;
    if (event.key !== "?" && !on()) return;
    event.preventDefault();
    work();
  });
}

function busy(event) {
  if (document.querySelector("dialog[open]")) return true;
  const at = event.target;
  if (at.matches("input:not([type=range], [type=radio], [type=checkbox]), textarea, select, [contenteditable]")) return true;
  return event.key === " " && at.matches("button, a, input, summary, canvas");
}

function help() {
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"),
    h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)))),
    h("label", { class: "check" }, h("input", { type: "checkbox", checked: on(), onchange: (event) => localStorage.setItem(KEPT, event.target.checked ? "on" : "off") }), "Single keys work"),
    h("form", { method: "dialog" }, h("button", { type: "submit", class: "button main" }, "Close")));
  return dialog;
}
