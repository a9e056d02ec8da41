/* Lists of tracks, the same in all rooms: play, name, and what else can be done with each. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { clock, nameOf, titleOf } from "./names.js";
import { mark } from "./playerbar.js";
import { player } from "./player.js";
import { link } from "./routes.js";

/** @typedef {import("./names.js").Track} Track */

/**
 * One track as a row.
 * @param {Track} track
 * @param {Object} [more]
 * @param {() => void} [more.onplay] else it alone is played
 * @param {Node|null} [more.lead] before the name: a similarity, a number
 * @param {Node[]} [more.actions] after it
 * @param {Node|null} [more.below] what unfolds
 */
export function row(track, { onplay, lead = null, actions = [], below = null } = {}) {
  const name = nameOf(track);
  const play = h("button", { class: "icon play", // its sign and label are those of `mark`
    onclick: () => (player.track?.id === track.id && !player.passages.length ? player.toggle() : (onplay ?? (() => player.playAll([track])))()) });
  const line = h("li", { class: "row", "data-track": track.id, "data-name": name },
    h("div", { class: "line" },
      lead, play,
      h("div", { class: "names" }, titleLink(track), byline(track)),
      h("span", { class: "time" }, track.duration ? clock(track.duration) : ""),
      h("div", { class: "actions" }, actions)),
    below);
  mark(line);
  return line;
}

function titleLink(track) {
  const attributes = track.audio ? {} : { href: link("similar", { like: track.id }), title: `What sounds like ${nameOf(track)}?` };
  return h(track.audio ? "span" : "a", { class: "title", ...attributes }, titleOf(track));
}

/** Artist and album, which lead to what is there of them. */
export function byline(track) {
  const artist = track.artist && h("a", { href: link("tracks", { artist: track.artist }) }, track.artist);
  const album = track.album && h("a", { class: "album", href: link("tracks", { album: track.album }) }, track.album);
  return h("span", { class: "by" }, artist, artist && album ? " · " : null, album);
}

/** A small button with a sign; its label says of what it is, for those who hear it alone. */
export function action(sign, label, onclick, more = {}) {
  return h("button", { class: "icon", "aria-label": label, title: label, onclick, ...more }, icon(sign));
}

/** Puts a track at the end of the queue. */
export function queueAction(track) {
  return action("queue", `Add ${nameOf(track)} to the playlist`, (event) => {
    player.enqueue([track]);
    event.currentTarget.classList.add("chosen");
  });
}

/** A plain list of tracks that plays from wherever one begins. @param {Track[]} tracks */
export function trackList(tracks, { label = "Tracks", actions = (track) => [queueAction(track)], lead = () => null } = {}) {
  const rows = tracks.map((track, index) =>
    row(track, { onplay: () => player.playAll(tracks, index), actions: actions(track, index), lead: lead(track, index) }));
  return h("ol", { class: "rows", "aria-label": label }, rows);
}
