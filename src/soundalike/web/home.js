/* The first room: one large field, a place for files, and some music to begin with. */

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { fileButton } from "./drop.js";
import { many, span } from "./names.js";
import { trackList } from "./rows.js";
import { go, link } from "./routes.js";
import { searchField } from "./search.js";

export const title = "soundalike";

const OFFERED = 8;

export async function show(main, _parameters, signal) {
  const field = searchField({
    label: "Find a track", placeholder: "A title, an artist, an album", large: true,
    onpick: (track) => go("similar", { like: track.id }),
    onall: (words) => go("find", { q: words }),
  });
  const size = h("p", { class: "size" }, " ");
  const begin = h("section", { class: "begin", "aria-label": "Somewhere to begin" });
  fill(main,
    h("div", { class: "hero" },
      h("h1", {}, "What sounds like this?"),
      field,
      h("p", { class: "or" }, "or drop an audio file anywhere on this page, ", fileButton("choose one"))),
    size, begin);
  if (matchMedia("(pointer: fine)").matches) field.field.focus({ preventScroll: true });
  await Promise.all([tellSize(size, signal), offer(begin, signal)]);
}

async function tellSize(place, signal) {
  const status = await get("status", {}, signal);
  if (status.tracks) {
    place.textContent = [many(status.tracks, "track"), many(status.artists, "artist"), span(status.duration)].join(" · ");
  } else {
    fill(place, "This library is empty. ", h("a", { href: link("library") }, "Index a folder of music"), ".");
  }
}

/** Tracks from anywhere in the library, others at each visit. */
async function offer(place, signal) {
  const { total } = await get("tracks", { limit: 1 }, signal);
  if (!total) return;
  const offset = Math.floor(Math.random() * Math.max(1, total - OFFERED + 1));
  const { tracks } = await get("tracks", { limit: OFFERED, offset }, signal);
  fill(place, h("h2", {}, "Somewhere to begin"), trackList(tracks, { label: "Somewhere to begin" }));
}
