/* All tracks that some words find. */

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { many } from "./names.js";
import { playlistButtons } from "./playlist.js";
import { trackList } from "./rows.js";

export const title = "Find";

const MOST = 200;

export async function show(main, parameters, signal) {
  const words = parameters.get("q") ?? "";
  const { tracks, note } = words.trim() ? await get("search", { q: words, n: MOST }, signal) : { tracks: [], note: "" };
  document.title = `${words} · soundalike`;
  fill(main, h("h1", { class: "small" }, "“", words, "”"),
    h("div", { class: "heading" },
      h("p", { class: "facts" }, tracks.length === MOST ? `the first ${MOST} tracks` : many(tracks.length, "track")),
      tracks.length ? playlistButtons(tracks, words) : null),
    note ? h("p", { class: "remark" }, note) : null,
    trackList(tracks));
  return null;
}
