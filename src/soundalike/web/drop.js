/* Asking about a file: dropped anywhere on the page, or chosen.

   The file is kept as long as the page is open, so that other settings ask about it again and its own
   passages can be played. No address can hold it: after a reload it has to be chosen anew. */

import { h, tell } from "./dom.js";
import { go } from "./routes.js";

/** @type {{file: File, track: import("./names.js").Track}|null} */
let asked = null;

const MOST_MB = 500;

/** The file last asked about, or null. */
export function askedFile() {
  return asked;
}

/** Ask about a file; complains by `tell` of what cannot be sound. @param {File|undefined} file */
export function askAbout(file) {
  if (!file) return;
  if (!file.size) {
    tell(`${file.name} is empty.`, { error: true });
  } else if (/^(text|image)\//.test(file.type)) {
    tell(`${file.name} does not look like audio.`, { error: true });
  } else if (file.size > MOST_MB * 1e6) {
    tell(`${file.name} is larger than ${MOST_MB} MB.`, { error: true });
  } else {
    if (asked) URL.revokeObjectURL(asked.track.audio);
    const audio = URL.createObjectURL(file);
    const track = { id: `file:${Date.now()}`, path: file.name, title: file.name, artist: "", album: "", duration: 0, audio };
    asked = { file, track };
    go("file", { name: file.name, at: String(Date.now()) });
  }
}

/** A button that chooses a file. */
export function fileButton(label = "Choose a file") {
  const input = h("input", { type: "file", accept: "audio/*,video/*,.flac,.opus,.wv,.ape,.m4a", class: "hidden", "aria-label": label,
    tabindex: -1, onchange: () => {
      askAbout(input.files[0]);
      input.value = "";
    } });
  const button = h("button", { class: "button", onclick: () => input.click() }, label);
  return h("span", { class: "file" }, button, input);
}

/** Take files that are dropped anywhere. */
export function takeDrops() {
  const veil = h("div", { class: "veil", hidden: true }, h("p", {}, "Drop it: what sounds like this?"));
  document.body.append(veil);
  let depth = 0;
  const files = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const show = (on) => {
    depth = on ? depth : 0;
    veil.hidden = !on;
  };
  addEventListener("dragenter", (event) => {
    if (!files(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", () => {
    depth -= 1;
    if (depth <= 0) show(false);
  });
  addEventListener("dragover", (event) => files(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    show(false);
    if (event.dataTransfer.files.length > 1) tell("One file at a time: the first is asked about.");
    askAbout(event.dataTransfer.files[0]);
  });
}
