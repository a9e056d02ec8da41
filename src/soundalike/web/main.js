/* Where the page begins: the rooms and their modules, and what surrounds them.

   dom        making elements, from text only        api        the server's answers
   routes     addresses and rooms                    names      times and titles as text
   player     what is heard        playerbar         rows       a track in a list
   home       the first room       tracks            search     finding by typing
   similar    a question           file, drop        about a file
     seeds      what is asked about    controls, terms   how
     answers    what is found          matches           why
   map        the library from above: points draws, grid hits, labels, lasso
   path, radio, playlist, library, login             the other rooms
   theme      light and dark       keys              single keys */

import { takeDrops } from "./drop.js";
import { fill, h, tell } from "./dom.js";
import { showPlayer } from "./playerbar.js";
import { player } from "./player.js";
import { follow, go, link } from "./routes.js";
import { searchField } from "./search.js";

const ROOMS = {
  home: () => import("./home.js"),
  similar: () => import("./similar.js"),
  file: () => import("./file.js"),
  find: () => import("./tracks.js"),
  tracks: () => import("./tracks.js"),
  map: () => import("./map.js"),
  path: () => import("./path.js"),
  radio: () => import("./radio.js"),
  playlist: () => import("./playlist.js"),
  library: () => import("./library.js"),
  lost: async () => ({ title: "Nothing here", show: lost }),
};

const main = document.getElementById("main");

function lost(place) {
  fill(place, h("h1", {}, "Nothing here"), h("p", {}, h("a", { href: link("home") }, "To the start")));
}

function arrived({ room }, title, first) {
  document.title = room === "home" ? "soundalike" : `${title} · soundalike`;
  document.body.dataset.room = room;
  for (const each of document.querySelectorAll("nav [data-room]")) {
    const on = each.dataset.room.split(" ").includes(room);
    if (on) each.setAttribute("aria-current", "page");
    else each.removeAttribute("aria-current");
  }
  // Whoever hears the page is told that it changed; who has just opened it is left at the top.
  if (!first) main.focus({ preventScroll: true });
}

async function failed(error) {
  if (error.status === 401) {
    const { showLogin } = await import("./login.js");
    showLogin(main);
    return;
  }
  fill(main, h("h1", {}, "That did not work"), h("p", { class: "error", role: "alert" }, error.message),
    h("p", {}, h("button", { class: "button", onclick: () => dispatchEvent(new Event("again")) }, "Try again")));
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address belongs to the rooms
  main.focus();
});
document.getElementById("search").append(searchField({
  label: "Find a track", placeholder: "Find a track",
  onpick: (track) => go("similar", { like: track.id }),
  onall: (words) => go("find", { q: words }),
}));
showPlayer(document.getElementById("player"));
player.addEventListener("trouble", (event) => tell(event.detail, { error: true }));
document.addEventListener("unauthorized", () => failed({ status: 401 }));
takeDrops();
follow(main, ROOMS, { arrived, failed });
import("./keys.js").then(({ takeKeys }) => takeKeys());
