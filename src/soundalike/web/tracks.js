/* All tracks that some words find, or of an artist or an album, and which artists or albums are like it. */

import { get } from "./api.js";
import { measure } from "./answers.js";
import { fill, h } from "./dom.js";
import { many, nameOf } from "./names.js";
import { playlistButtons } from "./playlist.js";
import { trackList } from "./rows.js";
import { link } from "./routes.js";

export const title = "Tracks";

const PAGE = 100;
const FOUND = 200;

export async function show(main, parameters, signal) {
  const words = parameters.get("q") ?? "";
  const [artist, album, filter] = ["artist", "album", "filter"].map((name) => parameters.get(name) ?? "");
  const name = words || artist || album || filter || "All tracks";
  const { tracks, note, total = tracks.length } = words.trim()
    ? await get("search", { q: words, n: FOUND }, signal)
    : await get("tracks", { artist, album, filter, limit: PAGE }, signal);
  document.title = `${name} · soundalike`;
  const list = h("div", {});
  const more = h("button", { class: "button", hidden: tracks.length >= total, onclick: async () => {
    const next = await get("tracks", { artist, album, filter, limit: PAGE, offset: tracks.length }, signal);
    tracks.push(...next.tracks);
    draw();
  } }, "Show more");
  const draw = () => {
    fill(list, trackList(tracks));
    more.hidden = tracks.length >= total;
  };
  const alike = h("aside", { class: "alike", "aria-label": "Alike" });
  fill(main, h("p", { class: "kicker" }, words ? "Found" : artist ? "Artist" : album ? "Album" : "Tracks"), h("h1", {}, name),
    h("div", { class: "heading" }, h("p", { class: "facts" }, many(total, "track")), tracks.length ? playlistButtons(tracks, name) : null),
    note ? h("p", { class: "remark" }, note) : null, list, more, alike);
  draw();
  if (artist || album) await showAlike(alike, artist ? "artists" : "albums", name, signal);
  return null;
}

async function showAlike(place, kind, name, signal) {
  try {
    const found = await get(`${kind}/similar`, { name }, signal);
    const others = found[kind] ?? found.groups ?? found.answers ?? [];
    if (!others.length) return;
    const one = kind.slice(0, -1);
    fill(place, h("h2", {}, kind === "artists" ? "Artists who sound alike" : "Albums that sound alike"),
      h("ol", { class: "rows" }, others.map((other) => h("li", { class: "row" }, h("div", { class: "line" },
        measure(other.similarity),
        h("div", { class: "names" }, h("a", { class: "title", href: link("tracks", { [one]: other.name }) }, other.name),
          h("span", { class: "by" }, other.pairs?.[0] ? `like ${nameOf(other.pairs[0].answer)}` : "")))))));
  } catch (error) {
    if (error.name === "AbortError") throw error;
    fill(place, h("p", { class: "remark" }, error.message));
  }
}
