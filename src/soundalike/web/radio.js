/* Music that goes on from some seeds. The address has the seeds, the drift and a number from which everything
   random follows: the same address is the same radio, until somebody likes or dislikes what it plays. */

import { get, send, tracksOf } from "./api.js";
import { senseChoice, slider } from "./controls.js";
import { fill, h, tell, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { nameOf } from "./names.js";
import { saveButton } from "./playlist.js";
import { player } from "./player.js";
import { action, row } from "./rows.js";
import { go, link } from "./routes.js";
import { searchField } from "./search.js";
import { changed } from "./terms.js";

export const title = "Radio";

const AT_ONCE = 6;
const CHARACTER = ["stays with the seeds", "looks around", "wanders", "goes anywhere"];

export async function show(main, first, signal) {
  let parameters = first;
  const status = await get("status", {}, signal);
  const seeds = h("ul", { class: "chips", "aria-label": "Seeds" });
  const change = (changes) => go("radio", changed(parameters, changes), { replace: !("seed" in changes) });
  const drift = slider("Drift", "drift", { min: 0, max: 1, step: 0.05, tells: (at) => at.toFixed(2),
    says: (at) => `It ${CHARACTER[Math.min(3, Math.floor(at * 4))]}.` }, change, (now) => now.get("drift") ?? "0.2");
  const spacing = slider("Same artist", "spacing", { min: 0, max: 20, tells: (at) => (at ? `after ${at} others` : "any time"), says: () => "" },
    change, (now) => now.get("spacing") ?? "3");
  const sense = senseChoice(status, change);
  const filterId = uniqueId("filter");
  const wrong = h("p", { class: "says error", id: `${filterId}-wrong`, role: "alert" });
  const refuse = (message) => {
    wrong.textContent = message;
    filter.setAttribute("aria-invalid", String(Boolean(message)));
  };
  const filter = h("input", { type: "text", id: filterId, "aria-describedby": wrong.id, oninput: () => refuse(""), maxlength: 800, spellcheck: "false", placeholder: "genre != 'Christmas'",
    onchange: () => change({ filter: filter.value.trim() }) });
  const start = h("button", { class: "button main", onclick: () => begin(parameters, refuse) }, icon("play"), "Start the radio");
  const list = h("ol", { class: "rows", "aria-label": "What the radio plays" });
  const heading = h("div", { class: "heading" });
  fill(main, h("h1", {}, "A radio around some music"), seeds,
    h("form", { class: "inline", onsubmit: (event) => event.preventDefault() }, drift.element, spacing.element, sense?.element,
      h("div", { class: "slider" }, h("label", { for: filterId }, "Only where"), filter, wrong)),
    h("div", { class: "buttons" }, start), heading, list);

  let drawn = "";
  let around = "";
  function draw() {
    const on = player.radio;
    const key = on ? player.queue.map((track) => track.id).join() : "";
    if (key === drawn) return;
    drawn = key;
    const ids = on ? player.queue.map((track) => track.id) : [];
    fill(heading, on ? [h("h2", {}, "On the radio"), h("div", { class: "buttons" }, saveButton(() => ids, () => `Radio around ${around}`))] : null);
    fill(list, on ? player.queue.map((track, index) => row(track, { onplay: () => player.jump(index), actions: ["like", "dislike"].map((kind) =>
      action(kind, `${kind === "like" ? "More" : "Less"} like ${nameOf(track)}`, (event) => {
        on.vote(kind, track);
        for (const each of event.currentTarget.parentNode.children) press(each, each === event.currentTarget);
      }, pressed(on, kind, track))) })) : null);
  }
  player.addEventListener("queue", draw, { signal });

  async function update(now) {
    parameters = now;
    [drift, spacing, sense].forEach((part) => part?.update(now));
    if (document.activeElement !== filter) filter.value = now.get("filter") ?? "";
    const ids = now.getAll("seed");
    const tracks = await tracksOf(ids, signal);
    around = tracks.map(nameOf).join(", ").slice(0, 120);
    start.disabled = !tracks.length;
    fill(seeds, tracks.map((track) => h("li", { class: "chip like" }, h("a", { href: link("similar", { like: track.id }) }, nameOf(track)),
      h("button", { class: "icon", "aria-label": `Radio without ${nameOf(track)}`,
        onclick: () => change({ seed: ids.filter((id) => id !== track.id) }) }, icon("remove")))),
    h("li", {}, searchField({ label: "Add a seed", placeholder: tracks.length ? "and …" : "A track to begin with",
      onpick: (track) => change({ seed: [...ids, track.id] }) })));
    draw();
  }
  await update(first);
  return update;
}

/** How the button of a vote looks that was or was not given. */
function pressed(radio, kind, track) {
  const given = radio.said?.get(track.id) === kind;
  return { class: given ? "icon vote chosen" : "icon vote", "aria-pressed": String(given) };
}

function press(button, on) {
  button.classList.toggle("chosen", on);
  button.setAttribute("aria-pressed", String(on));
}

/** Tune in: the first tracks become the queue, more follow as it plays. */
async function begin(parameters, refuse) {
  let state = null;
  let votes = { like: [], dislike: [] };
  const ask = async (body) => {
    const answer = await send("radio", { ...body, n: AT_ONCE });
    state = answer.state;
    return answer.steps.map((step) => step.track);
  };
  const radio = {
    name: parameters.toString(),
    said: new Map(), // by id, the last vote
    more() {
      const said = votes;
      votes = { like: [], dislike: [] };
      return ask({ state, ...said });
    },
    async vote(kind, track) {
      radio.said.set(track.id, kind);
      votes[kind].push(track.id);
      // What was fetched but not heard may come again.
      const unheard = new Set(player.queue.slice(player.index + 1).map((each) => each.id));
      const played = state.played.filter((id) => !unheard.has(id));
      state = { ...state, count: state.count - (state.played.length - played.length), played };
      tell(kind === "like" ? "More of that." : "Less of that.");
      if (kind === "dislike" && player.track?.id === track.id) {
        await player.retune();
        await player.next();
      } else {
        await player.retune();
      }
    },
  };
  try {
    const tracks = await ask({
      seeds: parameters.getAll("seed"), drift: Number(parameters.get("drift") ?? 0.2), seed: Number(parameters.get("number") ?? 0),
      artist_spacing: Number(parameters.get("spacing") ?? 3), sense: parameters.get("sense") ?? "both", filter: parameters.get("filter") ?? "",
    });
    refuse("");
    if (tracks.length) await player.playAll(tracks, 0, radio);
    else tell("There is nothing else to play.", { error: true });
  } catch (error) {
    // The rest of what is asked comes from sliders; a mistake is one of the filter.
    if (error.status === 400 && parameters.get("filter")) refuse(error.message);
    else tell(error.message, { error: true });
  }
}
