/* Moving about on the map, by mouse, fingers, wheel and keys -> pan, zoom, click, hover, lasso. */

const CLICK = 5; // pixels a finger or hand may tremble

/**
 * Call what `does` has for each of them, with pixels of the surface: pan(dx, dy), zoom(factor, x, y), click(x, y),
 * hover(x, y), leave(), lasso(corners, done) where lassoing() or with Shift held, and key(name), which says
 * whether the key meant something.
 * @param {HTMLElement} surface
 */
export function takeGestures(surface, does) {
  const pointers = new Map();
  let moved = false;
  /** @type {[number, number][]|null} */ let corners = null;
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    moved = pointers.size > 1;
    corners = pointers.size === 1 && (does.lassoing() || event.shiftKey) ? [place(event)] : null;
  });

  surface.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") does.hover(...now);
      return;
    }
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (!moved && Math.hypot(dx, dy) < CLICK) return;
    moved = true;
    if (corners) {
      // Of a quick hand several places come in one event.
      corners.push(...(event.getCoalescedEvents?.() ?? []).map(place), now);
      pointers.set(event.pointerId, now);
      does.lasso(corners, false);
    } else if (pointers.size === 1) {
      pointers.set(event.pointerId, now);
      does.pan(dx, dy);
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const reach = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      pointers.set(event.pointerId, now);
      does.zoom(reach(now) / reach(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      does.pan(dx / 2, dy / 2);
    }
  });

  function lift(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (corners) {
      if (event.type === "pointerup" && corners.length > 2) does.lasso(corners, true);
      else does.lasso([], false);
      corners = null;
    } else if (!moved && event.type === "pointerup") {
      does.click(...place(event));
    }
  }
  surface.addEventListener("pointerup", lift);
  surface.addEventListener("pointercancel", lift);
  surface.addEventListener("pointerleave", () => does.leave());
  surface.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    does.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0018)), ...place(event));
  }, { passive: false });
  surface.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && does.key(event.key)) event.preventDefault();
  });
}
