/* Making elements. Text goes in as text nodes only, so no tag of a file can ever become HTML. */

/**
 * Make an element.
 * @param {string} tag its name
 * @param {Object<string, any>} [attributes] "onclick" and the like are listeners; true is an attribute
 *     without a value, false, null and undefined are left out; "value", "checked" and the like are set as
 *     properties.
 * @param {...(Node|string|number|null|undefined|false|Array)} children strings become text
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  if (tag === "button") element.type = "button"; // or else it would submit any form around it
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, children);
  return element;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "indeterminate", "hidden"]);

/** Append what `h` takes as children. */
export function add(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child instanceof Node ? child : String(child));
    }
  }
  return element;
}

/** Put these children in the place of those before. */
export function fill(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element; presentation attributes are no style attributes, which our policy forbids. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Say something to everybody: seen for some seconds, and read out by screen readers. */
export function tell(message, { error = false } = {}) {
  const place = document.getElementById("told");
  const note = h("p", { class: error ? "note error" : "note" }, message);
  place.append(note);
  while (place.children.length > 3) place.firstChild.remove();
  setTimeout(() => note.remove(), error ? 9000 : 4500);
}

/** Run `work` once things have been quiet for `delay` ms. */
export function debounced(delay, work) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), delay);
  };
}

let count = 0;
/** An id that no other element has. */
export function uniqueId(stem) {
  count += 1;
  return `${stem}-${count}`;
}
