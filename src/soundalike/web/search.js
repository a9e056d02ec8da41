/* Finding a track by typing: a text field with a list below it (a combobox, as screen readers call it).

   Answers come while one types. Up and down choose, Enter takes, Escape closes; the first is chosen already. */

import { get } from "./api.js";
import { debounced, fill, h, uniqueId } from "./dom.js";
import { clock, titleOf } from "./names.js";

const DELAY = 70; // ms of quiet before asking; an answer takes some ms itself
const SHOWN = 8;

/**
 * A field that finds tracks.
 * @param {Object} how
 * @param {string} how.label what it is for, said to screen readers
 * @param {string} how.placeholder
 * @param {(track: import("./names.js").Track) => void} how.onpick
 * @param {(words: string) => void} [how.onall] shown as the last choice: all that is found
 * @param {boolean} [how.large]
 * @returns {HTMLElement & {field: HTMLInputElement}}
 */
export function searchField({ label, placeholder, onpick, onall, large = false }) {
  const listId = uniqueId("found");
  const list = h("ul", { id: listId, role: "listbox", "aria-label": label, hidden: true });
  const field = h("input", {
    type: "text", role: "combobox", placeholder, autocomplete: "off", spellcheck: "false", enterkeyhint: "search",
    "aria-label": label, "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId,
    maxlength: 500,
  });
  const state = h("p", { class: "hidden", role: "status" });
  const place = h("div", { class: large ? "search large" : "search" }, field, list, state);
  let choices = [];
  let active = -1;
  let asked = 0;
  let asking = null;

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function choose(index) {
    active = index;
    choices.forEach(({ option }, i) => option.setAttribute("aria-selected", String(i === active)));
    const option = choices[active]?.option;
    if (!option) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    return undefined;
  }

  function take(index) {
    const choice = choices[index];
    if (!choice) return;
    close();
    field.value = "";
    choice.take();
  }

  function show(tracks, words, remark) {
    choices = tracks.map((track) => ({ option: optionOf(track), take: () => onpick(track) }));
    if (onall && tracks.length) {
      const option = h("li", { id: uniqueId("option"), role: "option", class: "all" }, "Show all that is found");
      choices.push({ option, take: () => onall(words) });
    }
    choices.forEach(({ option }, index) => {
      // Before the field loses the focus, which would close the list.
      option.addEventListener("pointerdown", (event) => event.preventDefault());
      option.addEventListener("click", () => take(index));
      option.addEventListener("pointermove", () => active !== index && choose(index));
    });
    const nothing = h("li", { class: "nothing", role: "presentation" }, remark || "Nothing is called that.");
    fill(list, remark && tracks.length ? h("li", { class: "nothing", role: "presentation" }, remark) : null,
      tracks.length ? choices.map(({ option }) => option) : nothing);
    state.textContent = tracks.length ? `${tracks.length} found` : nothing.textContent;
    list.hidden = false;
    // Down to the player, which would cover the last lines.
    const player = document.getElementById("player").offsetHeight;
    list.style.maxHeight = `${Math.max(120, Math.min(0.6 * innerHeight, innerHeight - player - 12 - list.getBoundingClientRect().top))}px`;
    field.setAttribute("aria-expanded", "true");
    choose(tracks.length ? 0 : -1);
  }

  async function find() {
    const words = field.value.trim();
    asking?.abort();
    asking = new AbortController();
    asked += 1;
    const mine = asked;
    if (!words) return close();
    place.classList.add("busy");
    try {
      const { tracks, note } = await get("search", { q: words, n: SHOWN }, asking.signal);
      if (mine === asked) show(tracks, words, note);
    } catch (error) {
      if (mine === asked && error.name !== "AbortError") show([], words, error.message);
    } finally {
      if (mine === asked) place.classList.remove("busy");
    }
    return undefined;
  }

  const soon = debounced(DELAY, find);
  field.addEventListener("input", soon);
  field.addEventListener("focus", () => field.value.trim() && list.hidden && find());
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const { key } = event;
    if (key === "Escape" && !list.hidden) {
      close();
    } else if (key === "Enter") {
      if (!list.hidden && active >= 0) take(active);
      else find();
    } else if ((key === "ArrowDown" || key === "ArrowUp") && choices.length) {
      if (list.hidden) return;
      const way = key === "ArrowDown" ? 1 : -1;
      choose((active + way + choices.length) % choices.length);
    } else {
      return;
    }
    event.preventDefault();
  });
  place.field = field;
  return place;
}

function optionOf(track) {
  return h("li", { id: uniqueId("option"), role: "option" },
    h("span", { class: "title" }, titleOf(track)),
    h("span", { class: "by" }, [track.artist, track.album].filter(Boolean).join(" · ")),
    h("span", { class: "time" }, clock(track.duration)));
}
