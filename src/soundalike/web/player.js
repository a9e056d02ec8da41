/* What is heard: one audio element, a queue, and passages that are played one after the other.

   The queue is a list of tracks and the number of the one that is on. Passages are a short list of
   {track, start, end} that plays once beside the queue, to hear why an answer is one; afterwards the queue
   goes on where it was. A radio gives the queue a function that fetches more when it runs out.

   Events: "change" (another track, playing or not), "time", "queue", "trouble" (with `detail` a sentence). */

import { audioOf, keep } from "./api.js";
import { nameOf } from "./names.js";

/** @typedef {import("./names.js").Track} Track */
/** @typedef {{track: Track, start: number, end: number}} Passage */

const LEFT_BEFORE_MORE = 3;
const KEPT = "queue";

class Player extends EventTarget {
  audio = new Audio();
  /** @type {Track[]} */ queue = [];
  index = -1;
  /** @type {Track|null} */ track = null;
  /** @type {Passage[]} */ passages = [];
  part = -1;
  /** @type {{name: string, more: (heard: Track[]) => Promise<Track[]>}|null} */ radio = null;
  #watch = 0;
  #fetching = false;
  #errors = 0;

  constructor() {
    super();
    this.audio.preload = "metadata";
    for (const name of ["play", "pause", "loadedmetadata", "emptied"]) {
      this.audio.addEventListener(name, () => this.#tell("change"));
    }
    for (const name of ["timeupdate", "seeked", "durationchange"]) {
      this.audio.addEventListener(name, () => this.#tell("time"));
    }
    this.audio.addEventListener("ended", () => this.#over());
    this.audio.addEventListener("playing", () => (this.#errors = 0));
    this.audio.addEventListener("error", () => this.#broken());
    this.#restore();
  }

  get playing() {
    return Boolean(this.track) && !this.audio.paused;
  }

  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : (this.track?.duration ?? 0);
  }

  /** Play these tracks from one of them on; they become the queue. */
  playAll(tracks, from = 0, radio = null) {
    this.queue = [...tracks];
    this.radio = radio;
    this.#tell("queue");
    return this.jump(from);
  }

  /** Play the track with this number in the queue. */
  jump(index) {
    if (!this.queue[index]) return Promise.resolve();
    this.index = index;
    this.passages = [];
    this.#refill();
    return this.#start(this.queue[index], 0);
  }

  /** Add to the end of the queue, or right after what is on. */
  enqueue(tracks, { next = false } = {}) {
    const at = next ? this.index + 1 : this.queue.length;
    this.queue.splice(at, 0, ...tracks);
    this.#tell("queue");
  }

  /** Take a place out of the queue; what is on plays on. */
  drop(index) {
    this.queue.splice(index, 1);
    if (index <= this.index) this.index -= 1;
    this.#tell("queue");
  }

  /** Put a place of the queue somewhere else. */
  shift(from, to) {
    if (to < 0 || to >= this.queue.length) return;
    const current = this.queue[this.index];
    this.queue.splice(to, 0, ...this.queue.splice(from, 1));
    this.index = this.queue.indexOf(current);
    this.#tell("queue");
  }

  /** Play passages one after the other, then stop there. @param {Passage[]} passages */
  hear(passages) {
    this.passages = passages;
    this.part = 0;
    return this.#begin();
  }

  /** Play a track from a time on, without touching the queue. */
  hearFrom(track, start) {
    this.passages = [];
    return this.#start(track, start);
  }

  toggle() {
    if (!this.track) return this.jump(Math.max(this.index, 0));
    if (this.audio.paused) return this.#play();
    this.audio.pause();
    return Promise.resolve();
  }

  seek(seconds) {
    this.passages = [];
    this.audio.currentTime = Math.max(0, Math.min(seconds, this.duration || seconds));
    this.#tell("time");
  }

  next() {
    if (this.passages.length && this.part + 1 < this.passages.length) {
      this.part += 1;
      return this.#begin();
    }
    return this.jump(this.index + 1);
  }

  previous() {
    if (this.passages.length && this.part > 0) {
      this.part -= 1;
      return this.#begin();
    }
    if (this.audio.currentTime > 3 || this.index < 1) {
      this.seek(0);
      return Promise.resolve();
    }
    return this.jump(this.index - 1);
  }

  set volume(value) {
    this.audio.volume = value;
    this.audio.muted = false;
    this.#tell("change");
  }

  get volume() {
    return this.audio.muted ? 0 : this.audio.volume;
  }

  /** Ask the radio anew for what comes next, after a like or a dislike. */
  async retune() {
    this.queue.length = this.index + 1;
    this.#fetching = false;
    await this.#refill();
  }

  async #begin() {
    const { track, start, end } = this.passages[this.part];
    clearInterval(this.#watch);
    this.#watch = setInterval(() => {
      const now = this.passages[this.part];
      if (!now || now.end !== end || now.track !== track) clearInterval(this.#watch);
      else if (this.audio.currentTime >= end && !this.audio.seeking) this.#partOver();
    }, 40);
    await this.#start(track, start);
  }

  #partOver() {
    clearInterval(this.#watch);
    if (this.part + 1 < this.passages.length) {
      this.part += 1;
      this.#begin();
    } else {
      this.passages = [];
      this.audio.pause();
    }
  }

  async #start(track, at) {
    const source = audioOf(track);
    if (this.audio.src !== source) this.audio.src = source;
    this.track = track;
    keep(track);
    // Before the metadata are there, this is where playing will begin.
    this.audio.currentTime = at;
    this.#tell("change");
    await this.#play();
  }

  async #play() {
    if (!this.audio.src && this.track) this.audio.src = audioOf(this.track);
    try {
      await this.audio.play();
    } catch (error) {
      // Another track came in between, or the browser wants a click first. What is broken is told by "error".
      if (error.name === "NotAllowedError") this.#tell("trouble", "Press play to begin.");
    }
  }

  #over() {
    if (this.passages.length) this.#partOver();
    else if (this.index + 1 < this.queue.length) this.jump(this.index + 1);
    else this.#tell("change");
  }

  #broken() {
    if (!this.track || !this.audio.error) return;
    this.#tell("trouble", `${nameOf(this.track)} cannot be played: the file is gone, or this browser lacks its format.`);
    this.#errors += 1;
    // A folder that is not mounted must not race through the whole queue.
    if (this.#errors < 4 && !this.passages.length && this.index + 1 < this.queue.length) this.jump(this.index + 1);
  }

  async #refill() {
    const left = this.queue.length - this.index - 1;
    if (!this.radio || this.#fetching || left >= LEFT_BEFORE_MORE) return;
    this.#fetching = true;
    const { radio } = this;
    try {
      const more = await radio.more();
      if (radio === this.radio && more.length) this.enqueue(more);
    } catch (error) {
      this.#tell("trouble", error.message);
    } finally {
      this.#fetching = false;
    }
  }

  #tell(name, detail = undefined) {
    if (name === "queue" || name === "change") this.#remember();
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #remember() {
    // Files from elsewhere are gone with the page.
    const queue = this.queue.filter((track) => !track.audio);
    const index = queue.indexOf(this.queue[this.index]);
    try {
      sessionStorage.setItem(KEPT, JSON.stringify({ queue: queue.slice(0, 1000), index }));
    } catch {
      /* full or forbidden: then a reload begins anew */
    }
  }

  #restore() {
    try {
      const { queue, index } = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
      if (!queue?.length) return;
      this.queue = queue;
      this.index = index;
      this.track = queue[index] ?? null;
      queue.forEach(keep);
    } catch {
      /* not ours */
    }
  }
}

export const player = new Player();
