/* The answers: how similar each is, and, unfolded, why. */

import { fill, h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { showMatches, hearMatch } from "./matches.js";
import { clock, many, nameOf, titleOf, twoDigits } from "./names.js";
import { player } from "./player.js";
import { playlistButtons } from "./playlist.js";
import { action, queueAction, row } from "./rows.js";
import { go } from "./routes.js";
import { withSeed } from "./seeds.js";

/**
 * @typedef {Object} Answer
 * @property {import("./names.js").Track} track
 * @property {number} similarity
 * @property {{query: [number, number], answer: [number, number], similarity: number}[]} matches
 * @property {import("./names.js").Track[]} versions
 * @property {string|null} seed the path of the seed it is most like
 */

/**
 * Show answers in place of those before.
 * @param {HTMLElement} place
 * @param {{answers: Answer[], note: string, seeds: import("./names.js").Track[]}|null} found
 * @param {URLSearchParams} parameters of the page, to which a like or dislike is added
 */
export function showAnswers(place, found, parameters) {
  if (!found) {
    place.replaceChildren();
    return;
  }
  const tracks = found.answers.map((answer) => answer.track);
  const rows = found.answers.map((answer, index) => answerRow(answer, {
    seed: seedOf(answer, found.seeds), parameters, several: found.seeds.length > 1,
    onplay: () => player.playAll(tracks, index),
  }));
  fill(place,
    h("div", { class: "heading" },
      h("h2", {}, tracks.length ? many(tracks.length, "answer") : "No answers"),
      tracks.length ? playlistButtons(tracks, found.seeds.length ? `Like ${titleOf(found.seeds[0]).slice(0, 120)}` : "Similar") : null),
    found.note ? h("p", { class: "remark" }, found.note) : null,
    tracks.length ? h("ol", { class: "rows", "aria-label": "Answers" }, rows)
      : h("p", { class: "remark" }, "Nothing passes the filters. Loosen them, or ask about something else."));
  document.dispatchEvent(new CustomEvent("answered", { detail: tracks.length }));
}

function seedOf(answer, seeds) {
  return seeds.find((seed) => seed.path === answer.seed) ?? seeds[0] ?? null;
}

function answerRow(answer, { seed, parameters, several, onplay }) {
  const { track, matches } = answer;
  const best = matches[0];
  const why = h("div", { class: "why", id: uniqueId("why"), hidden: true });
  const unfold = h("button", { class: "icon unfold", "aria-expanded": "false", "aria-controls": why.id,
    "aria-label": `Why ${nameOf(track)}?`, title: "Why?",
    onclick: () => {
      const open = why.hidden;
      if (open && !why.firstChild) fillWhy(why, answer, seed, several);
      why.hidden = !open;
      unfold.setAttribute("aria-expanded", String(open));
    } }, icon("down"));
  const jump = best && seed
    ? h("button", { class: "best", title: "Hear both passages, one after the other",
      "aria-label": `Hear both: ${clock(best.query[0])} of ${nameOf(seed)}, then ${clock(best.answer[0])} of ${nameOf(track)}`,
      onclick: () => hearMatch(seed, track, best) },
    h("span", { class: "of-seed" }, clock(best.query[0])), " ≈ ", h("span", { class: "of-answer" }, clock(best.answer[0])))
    : null;
  const votes = parameters ? [vote("like", track, parameters), vote("dislike", track, parameters)] : [];
  return row(track, { onplay, lead: measure(answer.similarity), below: why,
    actions: [jump, ...votes, queueAction(track), unfold] });
}

function vote(kind, track, parameters) {
  const label = kind === "like" ? "More like" : "Less like";
  return action(kind, `${label} ${nameOf(track)}`, () => go("similar", withSeed(parameters, track.id, kind)), { class: "icon vote" });
}

/** A similarity as a number and a length. */
export function measure(similarity) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span", {}));
  bar.firstChild.style.inlineSize = `${Math.round(100 * Math.max(0, similarity))}%`;
  return h("span", { class: "similarity", title: "Similarity: 1 is the same, half of all music is at 0" }, twoDigits(similarity), bar);
}

function fillWhy(place, answer, seed, several) {
  const stands = answer.versions.map((track) => h("li", {}, nameOf(track), " ", h("span", { class: "where" }, track.path)));
  fill(place,
    seed && several ? h("p", { class: "remark" }, "Most like ", h("b", {}, nameOf(seed)), ".") : null,
    seed && answer.matches.length ? showMatches(seed, answer.track, answer.matches) : null,
    stands.length ? [h("p", { class: "remark" }, "Stands for other files of the recording:"), h("ul", { class: "plain" }, stands)] : null,
    h("p", { class: "where" }, answer.track.path));
}
