/* Why an answer is one: the passages that are most alike, on two timelines, seed above and answer below.

   A band joins the passages of a match, the stronger the more alike they are. A click on a band, or on its line
   in the list, plays the beginning of both passages one after the other; a click on a passage plays it whole. */

import { h, svg, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { clock, nameOf, titleOf, twoDigits } from "./names.js";
import { player } from "./player.js";

/** @typedef {{query: [number, number], answer: [number, number], similarity: number}} Match */

const HEARD = 10; // seconds of each passage: enough to compare while the first is still in one's ear
const WIDTH = 1000, HEIGHT = 88, LINE = 12; // of the picture, in its own units

/** Play what a match joins: so much of the seed's passage, then of the answer's. */
export function hearMatch(seed, track, match) {
  const passage = (of, [start, end]) => ({ track: of, start, end: Math.min(end, start + HEARD) });
  return player.hear([passage(seed, match.query), passage(track, match.answer)]);
}

/** The two timelines and the list of matches. @param {Match[]} matches */
export function showMatches(seed, track, matches) {
  const ends = { query: lengthOf(seed, matches, "query"), answer: lengthOf(track, matches, "answer") };
  const heads = [["query", seed], ["answer", track]].map(([side, of]) => playhead(side, of, ends[side]));
  const blend = svg("linearGradient", { id: uniqueId("blend"), x1: 0, x2: 0, y1: 0, y2: 1 },
    svg("stop", { class: "from", offset: 0 }), svg("stop", { class: "to", offset: 1 }));
  const weakest = [...matches].sort((a, b) => a.similarity - b.similarity);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "ribbons", "aria-hidden": "true" },
    svg("defs", {}, blend), line("query", 0), line("answer", HEIGHT - LINE),
    ...weakest.map((match) => band(match, ends, `url(#${blend.id})`, () => hearMatch(seed, track, match))),
    ...matches.flatMap((match) => [block("query", match.query, ends.query, 0, seed), block("answer", match.answer, ends.answer, HEIGHT - LINE, track)]),
    ...heads.map((head) => head.element));
  const element = h("figure", { class: "matches" },
    h("figcaption", { class: "of-seed" }, h("span", {}, titleOf(seed)), h("span", {}, clock(ends.query))),
    picture,
    h("figcaption", { class: "of-answer" }, h("span", {}, titleOf(track)), h("span", {}, clock(ends.answer))),
    h("ul", { class: "pairs", "aria-label": "Passages that are alike" }, matches.map((match) => h("li", {}, pair(seed, track, match)))));
  follow(element, heads);
  return element;
}

function lengthOf(track, matches, side) {
  return track.duration || Math.max(...matches.map((match) => match[side][1]));
}

function line(side, y) {
  return svg("rect", { class: `time ${side}`, x: 0, y: y + LINE / 2 - 1.5, width: WIDTH, height: 3, rx: 1.5 });
}

function block(side, [start, end], length, y, track) {
  return svg("rect", {
    class: `block ${side}`, x: (WIDTH * start) / length, y, width: Math.max(4, (WIDTH * (end - start)) / length), height: LINE, rx: 3,
    onclick: () => player.hear([{ track, start, end }]),
  });
}

function band({ query, answer, similarity }, ends, fill, onclick) {
  const [a, b] = query.map((time) => (WIDTH * time) / ends.query);
  const [c, d] = answer.map((time) => (WIDTH * time) / ends.answer);
  const [top, bottom, middle] = [LINE, HEIGHT - LINE, HEIGHT / 2];
  const outline = `M${a} ${top}C${a} ${middle} ${c} ${middle} ${c} ${bottom}L${d} ${bottom}C${d} ${middle} ${b} ${middle} ${b} ${top}Z`;
  return svg("path", { class: "band", d: outline, fill, "fill-opacity": (0.1 + 0.55 * Math.max(0, similarity) ** 2).toFixed(3), onclick });
}

function pair(seed, track, match) {
  const [from, to] = [match.query, match.answer].map(([start, end]) => `${clock(start)}–${clock(end)}`);
  return h("button", { class: "pair", onclick: () => hearMatch(seed, track, match),
    "aria-label": `Hear both: ${from} of ${nameOf(seed)}, then ${to} of ${nameOf(track)}; similarity ${twoDigits(match.similarity)}` },
  icon("both"), h("span", { class: "of-seed" }, from), h("span", {}, "≈"), h("span", { class: "of-answer" }, to),
  h("span", { class: "number" }, twoDigits(match.similarity)));
}

function playhead(side, track, length) {
  const element = svg("rect", { class: "head", x: 0, y: side === "query" ? 0 : HEIGHT - LINE, width: 3, height: LINE, visibility: "hidden" });
  return { element, track, length };
}

/** Move the playheads as long as the timelines are on the page. */
function follow(element, heads) {
  let shown = false;
  function move() {
    if (shown && !element.isConnected) {
      player.removeEventListener("time", move);
      return;
    }
    shown = element.isConnected;
    for (const head of heads) {
      const on = player.track?.id === head.track.id;
      head.element.setAttribute("visibility", on ? "visible" : "hidden");
      if (on) head.element.setAttribute("x", (WIDTH * player.audio.currentTime) / head.length);
    }
  }
  player.addEventListener("time", move);
  move();
}
