/* The bar at the bottom: what is on, and what one can do about it; the system's media keys do the same. */

import { address } from "./api.js";
import { add, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { clock, nameOf, titleOf } from "./names.js";
import { player } from "./player.js";
import { link } from "./routes.js";

function button(sign, label, onclick, more = "") {
  return h("button", { class: `icon ${more}`, "aria-label": label, title: label, onclick }, icon(sign));
}

/** Build the bar into its place; it shows itself with the first track. */
export function showPlayer(bar) {
  const toggle = button("play", "Play", () => player.toggle(), "big");
  const name = h("a", { class: "title" });
  const by = h("span", { class: "by" });
  const elapsed = h("span", { class: "time" }, "0:00");
  const total = h("span", { class: "time" }, "0:00");
  const seek = h("input", { type: "range", class: "seek", min: 0, max: 1000, step: 1, value: 0, "aria-label": "Position" });
  const mute = button("volume", "Mute", () => {
    player.audio.muted = !player.audio.muted;
    player.dispatchEvent(new Event("change"));
  });
  const volume = h("input", { type: "range", class: "volume", min: 0, max: 1, step: 0.02, value: 1, "aria-label": "Volume",
    oninput: () => (player.volume = Number(volume.value)) });
  const votes = h("span", { class: "votes" });
  const queue = h("a", { href: "#/playlist", class: "icon", "aria-label": "Queue", title: "Queue" }, icon("queue"));
  add(bar, [
    h("div", { class: "transport" },
      button("previous", "Previous", () => player.previous()), toggle, button("next", "Next", () => player.next())),
    h("div", { class: "on" }, name, by),
    h("div", { class: "position" }, elapsed, seek, total),
    h("div", { class: "extras" }, votes, queue, h("span", { class: "loudness" }, mute, volume)),
  ]);

  let dragging = false;
  let shown = null;
  seek.addEventListener("input", () => {
    dragging = true;
    elapsed.textContent = clock((seek.value / 1000) * player.duration);
  });
  seek.addEventListener("change", () => {
    dragging = false;
    player.seek((seek.value / 1000) * player.duration);
  });
  seek.addEventListener("keydown", (event) => {
    // Five seconds a key, whatever the length; the browser's own step would be a thousandth.
    const way = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5 }[event.key];
    if (!way) return;
    event.preventDefault();
    player.seek(player.audio.currentTime + way);
  });

  function time() {
    const { duration } = player;
    const at = player.audio.currentTime;
    if (!dragging) {
      seek.value = duration ? (1000 * at) / duration : 0;
      elapsed.textContent = clock(at);
    }
    total.textContent = clock(duration);
    seek.style.setProperty("--done", `${duration ? (100 * seek.value) / 1000 : 0}%`);
    seek.setAttribute("aria-valuetext", `${clock(at)} of ${clock(duration)}`);
    session.time();
  }

  function change() {
    const { track, playing } = player;
    bar.hidden = !track;
    document.body.classList.toggle("with-player", Boolean(track));
    if (!track) return;
    fill(toggle, icon(playing ? "pause" : "play"));
    toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    toggle.title = playing ? "Pause" : "Play";
    fill(mute, icon(player.volume ? "volume" : "muted"));
    mute.setAttribute("aria-label", player.volume ? "Mute" : "Unmute");
    volume.value = player.volume;
    volume.style.setProperty("--done", `${100 * player.volume}%`);
    const { passages, part } = player;
    const passage = passages.length > 1 && `Passage ${part + 1} of ${passages.length}`;
    by.textContent = [passage, track.artist || track.album].filter(Boolean).join(" · ");
    const key = `${track.id} ${player.radio?.name ?? ""}`;
    if (shown !== key) {
      shown = key;
      name.textContent = titleOf(track);
      name.title = nameOf(track);
      if (track.audio) name.removeAttribute("href");
      else name.href = link("similar", { like: track.id });
      fill(votes, player.radio ? radioVotes(track) : null);
    }
    document.title = document.title.replace(/^▶ /, "");
    if (playing) document.title = `▶ ${document.title}`;
    for (const row of document.querySelectorAll("[data-track]")) mark(row);
    session.change();
    time();
  }

  const session = mediaSession();
  player.addEventListener("change", change);
  player.addEventListener("time", time);
  change();
}

/** Mark a row if its track is on; its button says what a click on it does. */
export function mark(row) {
  const on = row.dataset.track === player.track?.id;
  row.classList.toggle("is-on", on);
  const playing = on && player.playing;
  row.classList.toggle("is-playing", playing);
  const play = row.querySelector(".play");
  // Passages are not paused by it; they give way to the track.
  const does = playing && !player.passages.length ? "Pause" : "Play";
  if (play.title === does) return;
  play.title = does;
  play.setAttribute("aria-label", `${does} ${row.dataset.name}`);
  fill(play, icon(does.toLowerCase()));
}

function radioVotes(track) {
  return [
    button("like", "More like this in the radio", (event) => vote(event, "like", track)),
    button("dislike", "Less like this in the radio", (event) => vote(event, "dislike", track)),
  ];
}

async function vote(event, kind, track) {
  event.currentTarget.classList.add("chosen");
  await player.radio?.vote(kind, track);
}

/** What the system shows of us: headphones' buttons, the lock screen. */
function mediaSession() {
  if (!("mediaSession" in navigator)) return { change() {}, time() {} };
  const { mediaSession: system } = navigator;
  const does = {
    play: () => player.toggle(),
    pause: () => player.toggle(),
    nexttrack: () => player.next(),
    previoustrack: () => player.previous(),
    seekto: (details) => player.seek(details.seekTime),
  };
  for (const [action, work] of Object.entries(does)) {
    try {
      system.setActionHandler(action, work);
    } catch {
      /* an action this browser does not know */
    }
  }
  let told = null;
  return {
    change() {
      const { track } = player;
      system.playbackState = player.playing ? "playing" : "paused";
      if (!track || told === track.id) return;
      told = track.id;
      const artwork = track.artwork ? [{ src: address(`tracks/${track.id}/artwork`) }] : [];
      system.metadata = new MediaMetadata({ title: titleOf(track), artist: track.artist, album: track.album, artwork });
    },
    time() {
      const { duration, audio } = player;
      if (duration > 0 && audio.currentTime <= duration) {
        system.setPositionState?.({ duration, position: audio.currentTime, playbackRate: 1 });
      }
    },
  };
}
