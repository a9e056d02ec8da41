/* Addresses of the page: #/room?name=value. Everything one sees follows from them, so that going back,
   reloading and sharing work.

   A room is a module with `show(main, parameters, signal)`. It may return a function that takes new
   parameters of the same room; without one, the room is built anew. `signal` is aborted when the room is left. */

/** @typedef {{room: string, parameters: URLSearchParams}} Place */

/** @returns {Place} */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { room: path || "home", parameters: new URLSearchParams(query) };
}

/** The address of a room; empty values are left out, lists become repeated names. */
export function link(room, parameters = {}) {
  const query = new URLSearchParams();
  const pairs = parameters instanceof URLSearchParams ? [...parameters] : Object.entries(parameters);
  for (const [name, value] of pairs) {
    for (const each of [value].flat()) {
      if (each !== null && each !== undefined && each !== "") query.append(name, each);
    }
  }
  const text = query.toString();
  return `#/${room === "home" ? "" : room}${text ? `?${text}` : ""}`;
}

/** Go there. With `replace` the place one was at is not kept to go back to. */
export function go(room, parameters = {}, { replace = false } = {}) {
  const target = link(room, parameters);
  if (target === location.hash || (target === "#/" && !location.hash)) return;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  dispatchEvent(new Event("moved"));
}

/** Note something in the address that the room already shows. */
export function note(room, parameters) {
  history.replaceState(null, "", link(room, parameters));
}

/**
 * Show rooms as the address says, from now on.
 * @param {HTMLElement} main
 * @param {Object<string, () => Promise<{title: string, show: Function}>>} rooms
 * @param {{arrived: (place: Place, title: string, first: boolean) => void, failed: (error: Error) => void}} told
 */
export function follow(main, rooms, { arrived, failed }) {
  let room = null;
  let update = null;
  let leaving = new AbortController();
  let visits = 0;

  async function move() {
    const place = here();
    if (place.room === room && update) {
      update(place.parameters);
      return;
    }
    leaving.abort();
    leaving = new AbortController();
    visits += 1;
    const visit = visits;
    room = place.room;
    update = null;
    try {
      const module = await (rooms[place.room] ?? rooms.lost)();
      if (visit !== visits) return;
      main.replaceChildren();
      main.className = place.room;
      scrollTo(0, 0);
      arrived(place, module.title, visit === 1);
      const shown = await module.show(main, place.parameters, leaving.signal);
      if (visit === visits) update = shown ?? null;
    } catch (error) {
      if (visit === visits && error.name !== "AbortError") failed(error);
    }
  }

  addEventListener("popstate", move);
  addEventListener("moved", move);
  addEventListener("again", () => {
    room = null;
    move();
  });
  move();
}

/** Build the room anew, after logging in or after the library has changed. */
export function again() {
  dispatchEvent(new Event("again"));
}
