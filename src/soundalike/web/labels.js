/* What is written and drawn over the points: names of neighborhoods, titles when one is near, rings, the lasso. */

const GAP = 6;
const TOOLS = [0, 0, 290, 64]; // where the buttons lie: left, top, right, bottom
const TITLES = 40; // as many points in view, and each has its title written

/**
 * Draw all of it, over a view: the names of groups, the titles of points that are near, rings of a kind ("hover"
 * or "on") around points of a radius, the corners of a lasso; and a cross in the middle, if keys move the view.
 * @param {CanvasRenderingContext2D} context in CSS pixels
 */
export function drawLabels(context, { view, groups, near, rings, lasso, radius, cross }) {
  const style = getComputedStyle(context.canvas);
  const [ink, paper, accent] = [style.color, style.getPropertyValue("text-emphasis-color"), style.outlineColor];
  const family = style.fontFamily;
  const at = (x, y) => [(x - view.x) * view.scale + view.width / 2, view.height / 2 - (y - view.y) * view.scale];
  context.clearRect(0, 0, view.width, view.height);
  const taken = [TOOLS];

  function write(text, x, y, font, { align = "center", faint = false } = {}) {
    context.font = font;
    context.textAlign = align;
    context.textBaseline = "middle";
    const width = context.measureText(text).width;
    // Names of neighborhoods are kept inside the picture, as long as their place is.
    const within = x >= 0 && x <= view.width && align === "center";
    if (within) x = Math.max(width / 2 + GAP, Math.min(view.width - width / 2 - GAP, x));
    const left = align === "center" ? x - width / 2 : x;
    const box = [left - GAP, y - 10, left + width + GAP, y + 10];
    if (box[2] < 0 || box[0] > view.width || box[3] < 0 || box[1] > view.height) return;
    if (faint && box[2] > view.width) return;
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return;
    taken.push(box);
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = paper;
    context.globalAlpha = 0.6;
    context.strokeText(text, x, y);
    context.globalAlpha = faint ? 0.75 : 1;
    context.fillStyle = ink;
    context.fillText(text, x, y);
    context.globalAlpha = 1;
  }

  for (const group of groups) write(shortened(called(group.name, 30), 30), ...at(group.x, group.y), `600 14px ${family}`);
  if (near.length <= TITLES) {
    const places = near.map((point) => at(point.x, point.y));
    // A title covers no other point.
    taken.push(...places.map(([x, y]) => [x - radius + 2, y - radius + 2, x + radius - 2, y + radius - 2]));
    for (const [index, point] of near.entries()) {
      const [x, y] = places[index];
      write(shortened(point.title, 32), x + radius + 5, y, `12px ${family}`, { align: "left", faint: true });
    }
  }
  for (const ring of rings) {
    context.beginPath();
    context.arc(...at(ring.x, ring.y), radius + (ring.kind === "on" ? 6 : 3.5), 0, 2 * Math.PI);
    context.lineWidth = ring.kind === "on" ? 3 : 2;
    context.strokeStyle = ring.kind === "on" ? accent : ink;
    context.stroke();
  }
  if (lasso.length > 1) {
    context.beginPath();
    lasso.forEach((corner, index) => context[index ? "lineTo" : "moveTo"](...at(...corner)));
    context.closePath();
    context.fillStyle = accent;
    context.globalAlpha = 0.12;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeStyle = accent;
    context.stroke();
  }
  if (cross) {
    context.fillStyle = ink;
    context.fillRect(view.width / 2 - 9, view.height / 2 - 0.5, 18, 1);
    context.fillRect(view.width / 2 - 0.5, view.height / 2 - 9, 1, 18);
  }
}

/** A name too long for the map goes without the artist of "like Artist - Title". */
function called(name, most) {
  return name.length > most ? name.replace(/^like .*? [-–] (?=.)/s, "like ") : name;
}

function shortened(text, most) {
  const letters = [...text.slice(0, 4 * most)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}
