/* A way from one track to another, in steps as even as may be. */

import { get, tracksOf } from "./api.js";
import { measure } from "./answers.js";
import { senseChoice, slider } from "./controls.js";
import { debounced, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { many, nameOf, titleOf } from "./names.js";
import { playlistButtons } from "./playlist.js";
import { queueAction, trackList } from "./rows.js";
import { go, link } from "./routes.js";
import { searchField } from "./search.js";
import { changed } from "./terms.js";

export const title = "Path";

const USUAL = "10", MOST = 50, PAUSE = 120;

export async function show(main, first, signal) {
  let parameters = first;
  const status = await get("status", {}, signal);
  const ends = h("div", { class: "ends" });
  const result = h("section", { class: "answers", "aria-label": "The path" });
  const change = (changes) => go("path", changed(parameters, changes), { replace: !("from" in changes || "to" in changes) });
  const length = slider("Tracks", "n", { min: 3, max: MOST, tells: String, says: () => "" },
    ({ n }) => change({ n: n === USUAL ? "" : n }), (now) => now.get("n") ?? USUAL);
  const sense = senseChoice(status, change);
  fill(main, h("h1", {}, "A path from one track to another"), ends,
    h("form", { class: "inline", onsubmit: (event) => event.preventDefault() }, length.element, sense?.element), result);
  let asking = new AbortController();
  signal.addEventListener("abort", () => asking.abort());

  async function update(now) {
    parameters = now;
    length.update(now);
    sense?.update(now);
    const [from, to] = ["from", "to"].map((name) => now.get(name) ?? "");
    const found = await tracksOf([from, to].filter(Boolean), signal);
    const track = (id) => found.find((each) => each.id === id);
    fill(ends, slot("From", track(from), (id) => change({ from: id })), slot("To", track(to), (id) => change({ to: id })));
    if (!from || !to) {
      fill(result, h("p", { class: "remark" }, "Choose where to begin and where to arrive. There is always a way."));
      return;
    }
    asking.abort();
    asking = new AbortController();
    const mine = asking;
    result.setAttribute("aria-busy", "true");
    try {
      const answer = await get("path", { from, to, n: now.get("n") ?? USUAL, sense: now.get("sense"), filter: now.get("filter") }, mine.signal);
      if (!mine.signal.aborted) draw(result, answer, `Path from ${[from, to].map((id) => titleOf(track(id) ?? { id })).join(" to ").slice(0, 120)}`);
    } catch (error) {
      if (error.name !== "AbortError") fill(result, h("p", { class: "error", role: "alert" }, error.message));
    } finally {
      if (mine === asking) result.removeAttribute("aria-busy");
    }
  }

  await update(first);
  return debounced(PAUSE, update);
}

/** A place for one track: empty, a field that finds one; filled, its name and a way to empty it again. */
function slot(label, track, onpick) {
  const inside = track
    ? h("div", { class: "chip like" }, h("a", { href: link("similar", { like: track.id }) }, nameOf(track)),
      h("button", { class: "icon", "aria-label": `${label}: choose another than ${nameOf(track)}`, onclick: () => onpick("") }, icon("remove")))
    : searchField({ label, placeholder: "A title, an artist, an album", onpick: (found) => onpick(found.id) });
  return h("div", { class: "slot" }, h("span", { class: "label", "aria-hidden": "true" }, label), inside);
}

function draw(place, { steps, note }, name) {
  const tracks = steps.map((step) => step.track);
  const lead = (_track, index) => (index ? measure(steps[index].similarity) : h("span", { class: "similarity" }, "start"));
  fill(place,
    h("div", { class: "heading" }, h("h2", {}, many(steps.length, "track")), playlistButtons(tracks, name)),
    note ? h("p", { class: "remark" }, note) : null,
    h("p", { class: "says" }, "The number is how much each is like the one before."),
    trackList(tracks, { label: "The path", lead, actions: (track) => [queueAction(track)] }));
}
