/* What sounds like this: the seeds, the terms of the question, and the answers.

   The address has all of it. Another setting is another address, and asks again while the old answers stay,
   dimmed, until the new ones are there. `file.js` shows the same for a file. */

import { get, tracksOf } from "./api.js";
import { showAnswers } from "./answers.js";
import { controls } from "./controls.js";
import { debounced, fill, h } from "./dom.js";
import { nameOf } from "./names.js";
import { go } from "./routes.js";
import { seedsOf, showSeeds } from "./seeds.js";
import { termsOf } from "./terms.js";

export const title = "Similar";

const PAUSE = 120; // ms after the last turn of a slider

export async function show(main, first, signal) {
  let parameters = first;
  let known = 0; // seeds that are in the library
  const seeds = h("header", { class: "seeds" });
  const answers = h("section", { class: "answers", "aria-label": "Answers", "aria-live": "off" });
  const panel = controls(first, await get("status", {}, signal), change);
  fill(main, seeds, h("div", { class: "asking" }, panel.element, answers));
  const ask = question(answers, signal, async (terms, abort) => {
    const { like, dislike } = seedsOf(parameters);
    if (!known) return null;
    const found = await get("similar", { id: like, dislike, ...terms }, abort);
    return { ...found, seeds: found.seeds.filter(Boolean) };
  });

  function change(changed) {
    go("similar", changed, { replace: true });
  }

  async function update(now) {
    parameters = now;
    panel.update(now);
    const { like, dislike } = seedsOf(now);
    const [liked, disliked] = [await tracksOf(like, signal), await tracksOf(dislike, signal)];
    known = liked.length;
    showSeeds(seeds, liked, disliked, now);
    if (liked.length) document.title = `Like ${nameOf(liked[0])} · soundalike`;
    await ask(now);
  }

  await update(first);
  return debounced(PAUSE, update);
}

/**
 * Ask and show, one question at a time: the last one counts.
 * @param {HTMLElement} place of the answers
 * @param {AbortSignal} signal
 * @param {(terms: Object, signal: AbortSignal) => Promise<Object|null>} put
 */
export function question(place, signal, put) {
  let asking = new AbortController();
  signal.addEventListener("abort", () => asking.abort());
  return async (parameters) => {
    asking.abort();
    asking = new AbortController();
    const mine = asking;
    place.setAttribute("aria-busy", "true");
    try {
      const found = await put(termsOf(parameters), mine.signal);
      if (!mine.signal.aborted) showAnswers(place, found, found?.fixed ? null : parameters);
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(place, h("p", { class: "error", role: "alert" }, error.message));
    } finally {
      if (mine === asking) place.removeAttribute("aria-busy");
    }
  };
}
