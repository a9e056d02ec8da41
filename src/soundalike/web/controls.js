/* The terms of a question as switches and sliders. Each change is a new address. */

import { debounced, h, uniqueId } from "./dom.js";
import { clock, seconds } from "./names.js";
import { VARIETY, changed, value } from "./terms.js";

const SENSES = {
  both: ["Both", "How it sounds and what is played"],
  sound: ["Sound", "Instruments, voices, production"],
  composition: ["Tune", "What is played, whoever plays it"],
};
const AGGREGATIONS = {
  mean: ["Whole", "The tracks as a whole"],
  concat: ["In order", "Beginning with beginning, end with end"],
  maxsim: ["Passages", "Each passage with the one most like it"],
};
const MOST = 100;

/**
 * The panel beside the answers.
 * @param {URLSearchParams} first
 * @param {{senses: string[], aggregations: string[]}} status what this library can do
 * @param {(parameters: URLSearchParams) => void} onchange
 */
export function controls(first, status, onchange) {
  let parameters = first;
  const change = (changes) => {
    parameters = changed(parameters, changes);
    onchange(parameters);
  };
  const parts = [
    senseChoice(status, change),
    choice("Compare", "aggregation", status.aggregations ?? ["mean", "concat", "maxsim"], AGGREGATIONS, change),
    slider("Variety", "variety", { min: 0, max: VARIETY.length - 1, tells: (at) => VARIETY[at].name, says: (at) => VARIETY[at].says }, change),
    slider("Answers", "n", { min: 5, max: MOST, step: 5, tells: (at) => String(at), says: () => "" }, change),
    filters(change, first),
  ].filter(Boolean);
  const wide = matchMedia("(min-width: 62rem)");
  const element = h("details", { class: "controls", open: wide.matches },
    h("summary", {}, "How to listen"), h("form", { onsubmit: (event) => event.preventDefault() }, parts.map((part) => part.element)));
  const update = (now) => {
    parameters = now;
    parts.forEach((part) => part.update(now));
  };
  update(first);
  return { element, update };
}

/** What to hear by, of the senses that the library's encoder has; null if there is only one. */
export function senseChoice(status, change) {
  const others = (status.senses ?? []).filter((sense) => sense !== "both");
  return others.length ? choice("Listen for", "sense", ["both", ...others], SENSES, change) : null;
}

/** A few choices side by side, one of them on. */
function choice(label, name, options, words, change) {
  const group = uniqueId(name);
  const says = h("p", { class: "says" });
  const inputs = options.map((option) =>
    h("input", { type: "radio", name: group, value: option, id: `${group}-${option}`, onchange: () => change({ [name]: option }) }));
  const element = h("fieldset", { class: "choice" }, h("legend", {}, label),
    h("div", { class: "segments" }, inputs.map((input) =>
      [input, h("label", { for: input.id, title: words[input.value]?.[1] }, words[input.value]?.[0] ?? input.value)])),
    says);
  const update = (parameters) => {
    const now = value(parameters, name);
    inputs.forEach((input) => (input.checked = input.value === now));
    says.textContent = words[now]?.[1] ?? "";
  };
  return { element, update };
}

/** A slider that says what its place means. */
export function slider(label, name, { min, max, step = 1, tells, says }, change, defaults = value) {
  const id = uniqueId(name);
  const output = h("output", { for: id });
  const note = h("p", { class: "says" });
  const input = h("input", { type: "range", id, min, max, step,
    oninput: () => {
      tell();
      soon();
    } });
  const soon = debounced(60, () => change({ [name]: input.value }));
  const tell = () => {
    const at = Number(input.value);
    output.textContent = tells(at);
    note.textContent = says(at);
    input.setAttribute("aria-valuetext", tells(at));
    input.style.setProperty("--done", `${(100 * (at - min)) / (max - min)}%`);
  };
  const element = h("div", { class: "slider" }, h("label", { for: id }, label), output, input, note);
  const update = (parameters) => {
    if (document.activeElement !== input) input.value = defaults(parameters, name);
    tell();
  };
  return { element, update };
}

const FIELDS = [
  ["from_year", "From year", "1955"], ["to_year", "To year", "1965"],
  ["min_duration", "At least", "2:00"], ["max_duration", "At most", "8:00"],
];

/** The filter language, and fields for what is asked most. */
function filters(change, first) {
  const used = ["filter", ...FIELDS.map(([name]) => name)].some((name) => first.get(name));
  const rows = FIELDS.map(([name, label, example]) => {
    const id = uniqueId(name);
    const timed = name.endsWith("duration");
    const input = h("input", { type: "text", id, inputmode: timed ? "text" : "numeric", placeholder: example, maxlength: 8,
      onchange: () => check() });
    const check = () => {
      const typed = input.value.trim();
      const read = timed ? seconds(typed) : (/^\d{1,4}$/.test(typed) ? Number(typed) : null);
      input.setAttribute("aria-invalid", String(Boolean(typed) && read === null));
      if (!typed || read !== null) change({ [name]: typed ? String(read) : "" });
    };
    return { name, input, timed, element: h("div", {}, h("label", { for: id }, label), input) };
  });
  const id = uniqueId("filter");
  const text = h("textarea", { id, rows: 2, spellcheck: "false", maxlength: 800, placeholder: "genre = 'Jazz' AND bpm > 120",
    "aria-describedby": `${id}-help`,
    onchange: () => change({ filter: text.value.trim() }),
    onkeydown: (event) => {
      if (event.key !== "Enter" || event.shiftKey) return;
      event.preventDefault();
      change({ filter: text.value.trim() });
    } });
  const element = h("details", { class: "filters", open: used }, h("summary", {}, "Filters"),
    h("div", { class: "fields" }, rows.map((each) => each.element)),
    h("label", { for: id }, "Only where"), text,
    h("p", { class: "says", id: `${id}-help` },
      "title, artist, album, genre, year, duration, bpm, folder, added_at or any other tag, with =, <, >, LIKE, IN, BETWEEN, AND, OR, NOT"));
  const update = (parameters) => {
    for (const { name, input, timed } of rows) {
      const now = parameters.get(name) ?? "";
      if (document.activeElement !== input) input.value = timed && now ? clock(Number(now)) : now;
    }
    if (document.activeElement !== text) text.value = parameters.get("filter") ?? "";
  };
  return { element, update };
}
