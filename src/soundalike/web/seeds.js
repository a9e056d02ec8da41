/* What is asked about: one track with all there is to say of it, or several as chips, liked or disliked. */

import { address, get } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { clock, nameOf, titleOf } from "./names.js";
import { player } from "./player.js";
import { byline, queueAction } from "./rows.js";
import { go, link } from "./routes.js";
import { searchField } from "./search.js";
import { changed } from "./terms.js";

/** The ids that an address asks with. @param {URLSearchParams} parameters */
export function seedsOf(parameters) {
  return { like: [...new Set(parameters.getAll("like"))], dislike: [...new Set(parameters.getAll("dislike"))] };
}

/** The address with one track more, or on the other side. */
export function withSeed(parameters, id, kind) {
  const { like, dislike } = seedsOf(parameters);
  const without = { like: like.filter((each) => each !== id), dislike: dislike.filter((each) => each !== id) };
  if (kind) without[kind].push(id);
  return changed(parameters, without);
}

/** Show what is asked about. */
export function showSeeds(place, liked, disliked, parameters) {
  const single = liked.length === 1 && !disliked.length;
  const adding = searchField({
    label: "Add a track to ask about", placeholder: "and like this …",
    onpick: (track) => go("similar", withSeed(parameters, track.id, "like")),
  });
  if (!liked.length) {
    const field = searchField({ label: "Find a track", placeholder: "A title, an artist, an album",
      onpick: (track) => go("similar", withSeed(parameters, track.id, "like")) });
    fill(place, h("h1", {}, "What sounds like this?"),
      h("p", {}, "Choose a track to ask about. If you followed a link, its track is no longer in the library."), field);
  } else if (single) {
    fill(place, sleeve(liked[0]), h("div", { class: "chips" }, adding));
  } else {
    const chips = [...liked.map((track) => chip(track, "like", parameters)), ...disliked.map((track) => chip(track, "dislike", parameters))];
    fill(place, h("h1", { class: "small" }, "What sounds like these?"), h("ul", { class: "chips", "aria-label": "Seeds" }, chips, h("li", {}, adding)));
  }
}

function chip(track, kind, parameters) {
  const other = kind === "like" ? "dislike" : "like";
  const name = nameOf(track);
  return h("li", { class: `chip ${kind}` },
    h("button", { class: "icon", "aria-label": `${name} is ${kind}d; ${other} it instead`, title: `${kind}d; click to ${other}`,
      onclick: () => go("similar", withSeed(parameters, track.id, other)) }, icon(kind)),
    h("a", { href: link("similar", { like: track.id }) }, name),
    h("button", { class: "icon", "aria-label": `Ask without ${name}`, title: "Remove",
      onclick: () => go("similar", withSeed(parameters, track.id, null)) }, icon("remove")));
}

/** One track at the head of the page. */
function sleeve(track) {
  const facts = h("p", { class: "facts" }, clock(track.duration));
  const picture = h("div", { class: "picture" });
  const versions = h("div", { class: "versions" });
  const head = h("div", { class: "sleeve" }, picture,
    h("div", { class: "what" },
      h("p", { class: "kicker" }, "What sounds like"),
      h("h1", {}, titleOf(track)),
      byline(track), facts,
      h("div", { class: "buttons" },
        h("button", { class: "button main", onclick: () => player.playAll([track]) }, icon("play"), "Play"),
        h("a", { class: "button", href: link("radio", { seed: track.id }) }, icon("radio"), "Radio"),
        h("a", { class: "button", href: link("path", { from: track.id }) }, icon("path"), "Path from here"),
        queueAction(track)),
      versions));
  addDetails(track, facts, picture, versions);
  return head;
}

async function addDetails(track, facts, picture, versions) {
  try {
    const whole = await get(`tracks/${encodeURIComponent(track.id)}`);
    facts.textContent = [whole.year, whole.genre, clock(whole.duration)].filter(Boolean).join(" · ");
    facts.title = whole.path;
    if (whole.artwork) {
      track.artwork = whole.artwork;
      fill(picture, h("img", { src: address(`tracks/${track.id}/artwork`), alt: "", loading: "lazy", width: 160, height: 160 }));
    }
    const told = await get(`tracks/${encodeURIComponent(track.id)}/versions`);
    if (told.versions?.length) {
      fill(versions, h("details", {}, h("summary", {}, `${told.versions.length} more of this piece`),
        h("ul", {}, told.versions.map((version) => h("li", {},
          h("a", { href: link("similar", { like: version.track.id }) }, nameOf(version.track)), ` ${version.kind}: ${version.why}`)))));
    }
  } catch {
    /* the question itself tells what is wrong */
  }
}
