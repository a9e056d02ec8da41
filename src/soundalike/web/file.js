/* What sounds like a file from elsewhere: it is sent, listened to, and forgotten by the server. */

import { get, upload } from "./api.js";
import { controls } from "./controls.js";
import { debounced, fill, h } from "./dom.js";
import { askedFile, fileButton } from "./drop.js";
import { icon } from "./icons.js";
import { player } from "./player.js";
import { go } from "./routes.js";
import { question } from "./similar.js";

export const title = "A file";

const PAUSE = 300;

export async function show(main, parameters, signal) {
  const kept = askedFile();
  if (!kept) {
    const name = parameters.get("name");
    fill(main, h("div", { class: "hero" }, h("h1", {}, "Choose the file again"),
      h("p", {}, name ? `A page cannot keep ${name} by itself after a reload.` : "Drop an audio file anywhere on this page."),
      h("p", {}, fileButton())));
    return null;
  }
  const { file, track } = kept;
  const play = h("button", { class: "button main", hidden: true, onclick: () => player.playAll([track]) }, icon("play"), "Play");
  const seeds = h("header", { class: "seeds" },
    h("div", { class: "sleeve" }, h("div", { class: "what" },
      h("p", { class: "kicker" }, "What sounds like this file"), h("h1", {}, file.name),
      h("div", { class: "buttons" },
        play, // once it is known to be music
        fileButton("Another file")))));
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Sending" });
  const stage = h("p", { class: "stage", role: "status" });
  const answers = h("section", { class: "answers", "aria-label": "Answers" });
  const panel = controls(parameters, await get("status", {}, signal), (changed) => go("file", changed, { replace: true }));
  fill(main, seeds, h("div", { class: "asking" }, panel.element, h("div", {}, stage, answers)));

  const ask = question(answers, signal, async (terms, abort) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(terms)) {
      if (value !== null && value !== undefined && value !== "") form.append(name, value);
    }
    form.append("file", file, file.name);
    progress.value = 0;
    fill(stage, `Sending ${file.name}`, progress);
    try {
      const onprogress = (share) => {
        progress.value = share;
        if (share >= 1) fill(stage, "Listening to it", h("progress", { "aria-label": "Listening" }));
      };
      const found = await upload("similar/upload", form, { signal: abort, onprogress });
      // The server knows how long the file is and calls its seed by its own name for it.
      play.hidden = false;
      track.duration = found.seeds[0]?.duration || track.duration || player.duration;
      return { ...found, seeds: [track], fixed: true };
    } finally {
      if (!abort.aborted) stage.replaceChildren();
    }
  });

  async function update(now) {
    if (askedFile() !== kept) {
      dispatchEvent(new Event("again"));
      return;
    }
    panel.update(now);
    await ask(now);
  }
  await update(parameters);
  return debounced(PAUSE, update);
}
