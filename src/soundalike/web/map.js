/* The library from above: tracks that sound alike lie near each other.

   Points below, by WebGL; above them a canvas with names and rings, which takes mouse and fingers. Beside it
   a list of the neighborhoods, by which everything can be reached without the picture. */

import { get, keep } from "./api.js";
import { debounced, fill, h } from "./dom.js";
import { takeGestures } from "./gestures.js";
import { Grid } from "./grid.js";
import { icon } from "./icons.js";
import { drawLabels } from "./labels.js";
import { many, nameOf } from "./names.js";
import { player } from "./player.js";
import { playlistButtons } from "./playlist.js";
import { groupColors, pointsOn } from "./points.js";
import { trackList } from "./rows.js";
import { link, note } from "./routes.js";

export const title = "Map";

const LISTED = 40;
const NEAREST_ZOOM = 400;
const STEP = 60; // pixels an arrow key moves

export async function show(main, parameters, signal) {
  const wait = h("p", { class: "remark", role: "status" }, "Drawing the map; in a large library this takes a while, once.", h("progress", { "aria-label": "Drawing" }));
  fill(main, wait);
  const status = await get("status", {}, signal);
  if (!status.tracks) {
    fill(main, h("div", { class: "hero" }, h("h1", {}, "Map of the library"),
      h("p", { class: "size" }, "This library is empty. ", h("a", { href: link("library") }, "Index a folder of music"), ".")));
    return null;
  }
  const seen = await get("map", { layout: parameters.get("layout") }, signal);
  return new Chart(main, columns(seen), parameters, signal).follow;
}

/** What the server says, in arrays that are quick to draw from. */
function columns(seen) {
  const [x, y] = [Float32Array.from(seen.x), Float32Array.from(seen.y)];
  const track = (i) => {
    const made = { id: seen.ids[i], path: "", title: seen.titles[i], artist: seen.artists[i], album: "", duration: 0 };
    keep(made);
    return made;
  };
  return { ...seen, x, y, track, count: x.length, grid: new Grid(x, y) };
}

class Chart {
  view = { x: 0.5, y: 0.5, scale: 1, width: 1, height: 1 };
  zoom = 1;
  hovered = -1;
  /** @type {Set<number>} */ chosen = new Set();
  /** @type {[number, number][]} */ lasso = [];
  drawing = false;

  constructor(main, seen, parameters, signal) {
    this.seen = seen;
    this.numbers = new Map(seen.ids.map((id, i) => [id, i]));
    this.points = h("canvas", { "aria-hidden": "true" });
    this.surface = h("canvas", { tabindex: 0, role: "application", class: "surface",
      "aria-label": `Map of ${many(seen.count, "track")}. Arrows move, plus and minus zoom, 0 shows all, Enter plays what is in the middle. The list of neighborhoods does the same.` });
    this.name = h("p", { class: "hovered", hidden: true });
    this.said = h("p", { class: "hidden", role: "status" });
    this.lassoButton = h("button", { class: "button", "aria-pressed": "false", onclick: () => this.#lassoing(!this.lassoOn) }, icon("lasso"), "Lasso");
    this.picture = h("div", { class: "picture" }, this.points, this.surface, this.name,
      h("div", { class: "tools" },
        this.lassoButton,
        h("button", { class: "icon", "aria-label": "Nearer", onclick: () => this.#zoomBy(1.6) }, icon("add")),
        h("button", { class: "icon", "aria-label": "Farther", onclick: () => this.#zoomBy(1 / 1.6) }, icon("dislike")),
        h("button", { class: "button", onclick: () => this.#fly(0.5, 0.5, 1) }, "All")));
    this.panel = h("section", { class: "panel", "aria-label": "Neighborhoods" });
    fill(main, h("h1", { class: "hidden" }, "Map of the library"), this.picture, this.panel, this.said);
    this.layer = pointsOn(this.points, seen.x, seen.y);
    this.context = this.surface.getContext("2d");
    this.remember = debounced(300, () => signal.aborted || this.#remember());
    this.#take(signal);
    this.#paint();
    this.follow = (now) => this.#go(now);
    this.#resize();
    this.#go(parameters);
  }

  #take(signal) {
    takeGestures(this.surface, {
      pan: (dx, dy) => this.#pan(dx, dy),
      zoom: (factor, x, y) => this.#zoomBy(factor, x, y),
      click: (x, y) => this.#play(this.#at(x, y)),
      hover: (x, y) => this.#hover(this.#at(x, y), x, y),
      leave: () => this.#hover(-1),
      lassoing: () => this.lassoOn,
      lasso: (corners, done) => this.#drawLasso(corners, done),
      key: (key) => this.#key(key),
    });
    const size = new ResizeObserver(() => this.#resize());
    size.observe(this.picture);
    signal.addEventListener("abort", () => size.disconnect());
    const repaint = () => {
      this.#paint();
      this.draw();
    };
    document.addEventListener("themechange", repaint, { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
    player.addEventListener("change", () => this.draw(), { signal });
    for (const name of ["focus", "blur"]) this.surface.addEventListener(name, () => this.draw());
  }

  /* ---- where one is ---- */

  get base() {
    return 0.9 * Math.min(this.view.width, this.view.height);
  }

  #resize() {
    const box = this.picture.getBoundingClientRect();
    if (!box.width) return;
    const ratio = devicePixelRatio || 1;
    Object.assign(this.view, { width: box.width, height: box.height, scale: 1 });
    this.view.scale = this.zoom * this.base;
    for (const canvas of [this.points, this.surface]) {
      canvas.width = Math.round(box.width * ratio);
      canvas.height = Math.round(box.height * ratio);
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#drawNow();
  }

  #place(x, y) {
    const { view } = this;
    return [view.x + (x - view.width / 2) / view.scale, view.y - (y - view.height / 2) / view.scale];
  }

  #at(x, y) {
    return this.seen.grid.nearest(...this.#place(x, y), (this.radius + 6) / this.view.scale);
  }

  get radius() {
    // The more room a point has, the larger it is: specks in a cloud, discs where one is near.
    const room = this.view.scale / Math.sqrt(Math.max(1, this.seen.count));
    return Math.max(1.1, Math.min(7, room * 0.09));
  }

  #set(x, y, zoom) {
    this.zoom = Math.max(0.5, Math.min(NEAREST_ZOOM, zoom));
    Object.assign(this.view, { x: Math.max(-0.2, Math.min(1.2, x)), y: Math.max(-0.2, Math.min(1.2, y)), scale: this.zoom * this.base });
    this.draw();
    this.remember();
  }

  #pan(dx, dy) {
    this.#set(this.view.x - dx / this.view.scale, this.view.y + dy / this.view.scale, this.zoom);
  }

  #zoomBy(factor, x = this.view.width / 2, y = this.view.height / 2) {
    const [placeX, placeY] = this.#place(x, y);
    const zoom = Math.max(0.5, Math.min(NEAREST_ZOOM, this.zoom * factor));
    const kept = this.zoom / zoom; // what is below the pointer stays there
    this.#set(placeX + (this.view.x - placeX) * kept, placeY + (this.view.y - placeY) * kept, zoom);
  }

  #fly(x, y, zoom) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#set(x, y, zoom);
      return;
    }
    const from = { x: this.view.x, y: this.view.y, zoom: this.zoom };
    const began = performance.now();
    const flight = (this.flight = (now) => {
      if (flight !== this.flight || !this.picture.isConnected) return;
      const t = Math.min(1, Math.max(0, (now - began) / 350));
      const eased = t * t * (3 - 2 * t);
      const mix = (a, b) => a + (b - a) * eased;
      this.#set(mix(from.x, x), mix(from.y, y), from.zoom * (zoom / from.zoom) ** eased);
      if (t < 1) requestAnimationFrame(flight);
    });
    requestAnimationFrame(flight);
  }

  #go(parameters) {
    const number = parameters.get("group");
    const read = (name, otherwise) => (Number.isFinite(parseFloat(parameters.get(name))) ? parseFloat(parameters.get(name)) : otherwise);
    this.#set(read("x", 0.5), read("y", 0.5), read("zoom", 1));
    const group = this.seen.clusters.find((each) => String(each.number) === number);
    if (group) this.#showGroup(group, parameters.has("zoom"));
    else this.#showGroups();
  }

  #remember() {
    const group = this.group ? { group: this.group.number } : {};
    const round = (value) => Number(value.toFixed(4));
    note("map", { ...group, x: round(this.view.x), y: round(this.view.y), zoom: Number(this.zoom.toFixed(2)) });
  }

  /* ---- what is drawn ---- */

  #paint() {
    const { seen, chosen } = this;
    this.colors = groupColors(seen.clusters.length, isDark(this.surface));
    const paints = new Uint8Array(4 * seen.count);
    for (let i = 0; i < seen.count; i += 1) {
      const color = this.colors[seen.cluster[i]] ?? [128, 128, 128];
      const faint = chosen.size > 0 && !chosen.has(i);
      paints.set(color, 4 * i);
      paints[4 * i + 3] = faint ? 50 : 215;
    }
    this.layer.paint(paints);
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (this.picture.isConnected) this.#drawNow();
    });
  }

  #drawNow() {
    const { view, seen } = this;
    const { x, y, grid } = seen;
    this.layer.draw(view, 2 * this.radius);
    const [left, top] = this.#place(0, 0);
    const [right, bottom] = this.#place(view.width, view.height);
    const near = grid.inside(left, bottom, right, top, 41);
    const on = this.numbers.get(player.track?.id) ?? -1;
    drawLabels(this.context, {
      view, groups: seen.clusters, radius: this.radius, lasso: this.lasso,
      near: near.map((i) => ({ x: x[i], y: y[i], title: seen.titles[i] })),
      rings: [[this.hovered, "hover"], [on, "on"]].filter(([i]) => i >= 0).map(([i, kind]) => ({ x: x[i], y: y[i], kind })),
      cross: this.surface.matches(":focus-visible"),
    });
  }

  /* ---- what one does ---- */

  #hover(i, x = 0, y = 0) {
    if (i !== this.hovered) {
      this.hovered = i;
      this.surface.classList.toggle("over", i >= 0);
      this.draw();
    }
    this.name.hidden = i < 0;
    if (i < 0) return;
    this.name.textContent = nameOf(this.seen.track(i));
    const right = x > this.view.width * 0.6;
    this.name.style.transform = `translate(${x + (right ? -14 : 14)}px, ${y + 14}px)${right ? " translateX(-100%)" : ""}`;
  }

  #play(i) {
    if (i < 0) return;
    const track = this.seen.track(i);
    this.said.textContent = `Playing ${nameOf(track)}`;
    player.playAll([track]);
  }

  #key(key) {
    const way = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
    if (way) {
      this.#pan(STEP * way[0], STEP * way[1]);
      const i = this.#middle();
      if (i >= 0) this.said.textContent = nameOf(this.seen.track(i));
    } else if (key === "+" || key === "=") this.#zoomBy(1.4);
    else if (key === "-") this.#zoomBy(1 / 1.4);
    else if (key === "0") this.#fly(0.5, 0.5, 1);
    else if (key === "Enter") this.#play(this.#middle());
    else if (key === "Escape" && (this.chosen.size || this.group)) this.#showGroups();
    else return false;
    return true;
  }

  #middle() {
    return this.seen.grid.nearest(this.view.x, this.view.y, 80 / this.view.scale);
  }

  #lassoing(on) {
    this.lassoOn = on;
    this.lassoButton.setAttribute("aria-pressed", String(on));
    this.surface.classList.toggle("lassoing", on);
  }

  #drawLasso(corners, done) {
    this.lasso = corners.map(([x, y]) => this.#place(x, y));
    if (done) {
      const found = this.seen.grid.within(this.lasso);
      this.lasso = [];
      this.#lassoing(false);
      if (found.length) this.#choose(found, "Lasso");
    }
    this.draw();
  }

  /* ---- beside the picture ---- */

  #choose(numbers, name) {
    this.group = null;
    this.chosen = new Set(numbers);
    this.#list(name, numbers);
    this.said.textContent = `${many(numbers.length, "track")} chosen`;
    this.remember();
  }

  #list(name, numbers, words = "") {
    const tracks = numbers.map((i) => this.seen.track(i));
    fill(this.panel,
      h("button", { class: "link", onclick: () => {
        this.#showGroups();
        this.remember();
      } }, "All neighborhoods"),
      h("h2", {}, name), h("p", { class: "facts" }, many(tracks.length, "track"), words ? ` · ${words}` : ""),
      playlistButtons(tracks, name),
      trackList(tracks.slice(0, LISTED)),
      tracks.length > LISTED ? h("p", { class: "says" }, `and ${many(tracks.length - LISTED, "other")}; all are in the playlist.`) : null);
    this.#paint();
    this.draw();
  }

  #showGroups() {
    this.group = null;
    this.chosen = new Set();
    this.#paint();
    this.draw();
    fill(this.panel, h("h2", {}, "Neighborhoods"),
      h("p", { class: "says" }, "A click on the map plays. Draw with the lasso, or with Shift held, to gather a playlist."),
      h("ol", { class: "groups" }, this.seen.clusters.map((group) => {
        const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
        swatch.style.backgroundColor = `rgb(${(this.colors[group.number] ?? [128, 128, 128]).join(" ")})`;
        return h("li", {}, h("button", { class: "group", onclick: () => {
          this.#showGroup(group);
          this.remember();
        } }, swatch, h("span", { class: "names" }, h("span", { class: "title" }, group.name), h("span", { class: "by" }, wordsOf(group))),
        h("span", { class: "number" }, Number(group.size).toLocaleString("en"))));
      })));
  }

  #showGroup(group, stay = false) {
    const { x, y, cluster } = this.seen;
    const numbers = [];
    for (let i = 0; i < this.seen.count; i += 1) if (cluster[i] === group.number) numbers.push(i);
    const away = numbers.map((i) => (x[i] - group.x) ** 2 + (y[i] - group.y) ** 2);
    const order = numbers.map((_, k) => k).sort((a, b) => away[a] - away[b]);
    this.group = group;
    this.chosen = new Set(numbers);
    this.#list(group.name, order.map((k) => numbers[k]), wordsOf(group));
    if (stay || !numbers.length) return;
    // Most of the group in view; strays need not be.
    const reach = Math.sqrt(away[order[Math.floor(0.9 * (order.length - 1))]]) || 0.05;
    this.#fly(group.x, group.y, Math.max(1, Math.min(30, 0.42 / reach)));
  }
}

function wordsOf(group) {
  return (group.words ?? []).map((word) => word.text ?? word).filter((text) => text !== group.name).slice(0, 4).join(", ");
}

function isDark(element) {
  const [red, green, blue] = (getComputedStyle(element).color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  return red + green + blue > 384;
}
