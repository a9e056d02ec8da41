/* Playlists: the queue, or tracks that an address names; saved as M3U8, brought into an order, made into a mix.

   Without ids the room shows the queue itself, and changes it. */

import { fetched, send, tracksOf } from "./api.js";
import { fill, h, tell } from "./dom.js";
import { icon } from "./icons.js";
import { many, nameOf, span } from "./names.js";
import { player } from "./player.js";
import { action, row, trackList } from "./rows.js";
import { go, link } from "./routes.js";

export const title = "Playlist";

const SHOWN = 500;

/** What can be done with any list of tracks: play, keep as a file, open as a playlist. */
export function playlistButtons(tracks, name) {
  const ids = tracks.map((track) => track.id);
  return h("div", { class: "buttons" },
    h("button", { class: "button main", onclick: () => player.playAll(tracks) }, icon("play"), "Play all"),
    saveButton(() => ids, () => name),
    h("a", { class: "button", href: link("playlist", { name, ids: ids.join(".") }) }, "As playlist"));
}

/** A button that downloads an M3U8. @param {() => string[]} ids @param {() => string} name */
export function saveButton(ids, name) {
  return h("button", { class: "button save", onclick: () => save(ids(), name()) }, icon("save"), "Save M3U8");
}

async function save(ids, name) {
  try {
    const blob = await fetched("playlist", { ids, name });
    const url = URL.createObjectURL(blob);
    const file = `${name.replace(/[^\p{L}\p{N} .,'()_-]+/gu, " ").trim() || "playlist"}.m3u8`;
    h("a", { href: url, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    tell(`${file} is saved.`);
  } catch (error) {
    tell(error.message, { error: true });
  }
}

export async function show(main, parameters, signal) {
  const ids = parameters.get("ids");
  if (ids) await showNamed(main, ids.split(".").filter(Boolean), parameters, signal);
  else showQueue(main, signal);
  return () => dispatchEvent(new Event("again"));
}

async function showNamed(main, ids, parameters, signal) {
  const name = h("input", { type: "text", class: "title", "aria-label": "Name of the playlist", maxlength: 200,
    value: parameters.get("name") || "Playlist",
    onchange: () => go("playlist", { name: name.value, ids: ids.join(".") }, { replace: true }) });
  const shown = await tracksOf(ids.slice(0, SHOWN), signal);
  const all = async () => (ids.length > SHOWN ? tracksOf(ids, signal) : shown);
  const reordered = (tracks, called) => go("playlist", { name: called, ids: tracks.map((track) => track.id).join(".") });
  fill(main, h("h1", { class: "hidden" }, "Playlist"), name,
    h("p", { class: "facts" }, `${many(ids.length, "track")}, ${span(shown.reduce((sum, track) => sum + track.duration, 0))}`,
      ids.length > SHOWN ? ` for the first ${SHOWN}` : ""),
    h("div", { class: "buttons" },
      h("button", { class: "button main", onclick: async () => player.playAll(await all()) }, icon("play"), "Play all"),
      saveButton(() => ids, () => name.value),
      orderButton("Sort by sound", "sort", { ids }, (tracks) => reordered(tracks, name.value)),
      orderButton("Mix like this", "mix", { ids, n: 30 }, (tracks) => reordered(tracks, `Mix of ${name.value}`))),
    trackList(shown, { label: "Tracks of the playlist" }));
}

function orderButton(label, verb, body, done) {
  return h("button", { class: "button", onclick: async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const { steps, note } = await send(verb, body);
      if (note) tell(note);
      done(steps.map((step) => step.track));
    } catch (error) {
      tell(error.message, { error: true });
    } finally {
      button.disabled = false;
    }
  } }, label);
}

function showQueue(main, signal) {
  const list = h("ol", { class: "rows", "aria-label": "Queue" });
  const facts = h("p", { class: "facts" });
  const buttons = h("div", { class: "buttons" });
  fill(main, h("h1", {}, "Queue"), facts, buttons, list);
  let drawn = null;
  function draw() {
    const { queue } = player;
    const key = queue.map((track) => track.id).join();
    if (key === drawn) return;
    drawn = key;
    const kept = queue.filter((track) => !track.audio);
    const ids = kept.map((track) => track.id);
    facts.textContent = queue.length
      ? `${many(queue.length, "track")}, ${span(queue.reduce((sum, track) => sum + (track.duration || 0), 0))}`
      : "Nothing is queued. Play something, add tracks with the sign of a list, or draw a lasso on the map.";
    fill(buttons, ids.length ? [
      saveButton(() => ids, () => "Queue"),
      h("a", { class: "button", href: link("playlist", { name: "Queue", ids: ids.join(".") }) }, "As playlist"),
      h("button", { class: "button", onclick: () => player.playAll([]) }, "Clear")] : null);
    fill(list, queue.slice(0, SHOWN).map((track, index) => queued(track, index)));
  }
  player.addEventListener("queue", draw, { signal });
  draw();
}

function queued(track, index) {
  const name = nameOf(track);
  return row(track, {
    onplay: () => player.jump(index),
    actions: [
      action("up", `Move ${name} up`, () => player.shift(index, index - 1)),
      action("down", `Move ${name} down`, () => player.shift(index, index + 1)),
      action("remove", `Take ${name} out`, () => player.drop(index)),
    ],
  });
}
