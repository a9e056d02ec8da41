/* The few signs the page needs, drawn on a grid of 20. Beside them always stands a text or a label. */

import { svg } from "./dom.js";

const DRAWN = {
  play: ["M6.5 4.2v11.6l9.3-5.8z"],
  pause: ["M6 4.5h2.8v11H6zM11.2 4.5H14v11h-2.8z"],
  next: ["M4.5 4.6v10.8l8-5.4zM13.4 4.6h2v10.8h-2z"],
  previous: ["M15.5 4.6v10.8l-8-5.4zM4.6 4.6h2v10.8h-2z"],
};
const STROKED = {
  like: ["M10 16.2C6 13 3.2 10.6 3.2 7.7 3.2 5.6 4.8 4.2 6.6 4.2c1.4 0 2.6.8 3.4 2.2.8-1.4 2-2.2 3.4-2.2 1.8 0 3.4 1.4 3.4 3.5 0 2.9-2.8 5.3-6.8 8.5z"],
  dislike: ["M4 10h12"],
  add: ["M10 4v12M4 10h12"],
  remove: ["M5 5l10 10M15 5L5 15"],
  similar: ["M3 8c2.3-4 4.7-4 7 0s4.7 4 7 0", "M3 13c2.3-4 4.7-4 7 0s4.7 4 7 0"],
  volume: ["M3 8v4h2.8l3.7 3V5l-3.7 3z", "M12.5 7.5a3.5 3.5 0 010 5M14.8 5a7 7 0 010 10"],
  muted: ["M3 8v4h2.8l3.7 3V5l-3.7 3z", "M12.5 8l4 4M16.5 8l-4 4"],
  down: ["M5 7.5l5 5 5-5"],
  save: ["M10 4v9M6.5 9.5L10 13l3.5-3.5M4 12.5V16h12v-3.5"],
  queue: ["M3 5h10M3 10h10M3 15h6M14.5 11v5M12 13.5h5"],
  radio: ["M10 8.5a1.5 1.5 0 110 3 1.5 1.5 0 010-3zM6.5 6.5a5 5 0 000 7M13.5 6.5a5 5 0 010 7M4 4a8.5 8.5 0 000 12M16 4a8.5 8.5 0 010 12"],
  path: ["M4 14.5a1.5 1.5 0 103 0 1.5 1.5 0 10-3 0M13 5.5a1.5 1.5 0 103 0 1.5 1.5 0 10-3 0M7 14.5h3.5c3 0 3-5 0-5h-1c-3 0-3-4 0-4H13"],
  both: ["M3 6.5h9M8 13.5h9M12 6.5c3 0 3.5 1.5 3.5 3"],
  lasso: ["M10 4c4 0 7 1.8 7 4.5S14 13 10 13s-7-1.8-7-4.5S6 4 10 4zM6 12.5c-1 2 .5 3.5 2 4"],
  up: ["M5 12.5l5-5 5 5"],
};

/** @param {keyof DRAWN|keyof STROKED} name */
export function icon(name) {
  const filled = name in DRAWN;
  const paths = (filled ? DRAWN : STROKED)[name].map((d) => svg("path", { d }));
  const kind = filled ? "sign filled" : "sign";
  return svg("svg", { viewBox: "0 0 20 20", class: kind, "aria-hidden": "true" }, ...paths);
}
