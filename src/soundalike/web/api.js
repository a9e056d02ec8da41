/* The server's answers. Addresses are relative to the page, which may live below any path of a proxy. */

/** What the server says when something is wrong; its message is a sentence for people. */
export class ApiError extends Error {
  constructor(message, { kind = "failed", status = 0 } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

const BASE = new URL("api/", document.baseURI.replace(/#.*/, ""));

/** The full address of something below /api; empty values are left out, lists become repeated names. */
export function address(path, parameters = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat()) {
      if (each !== null && each !== undefined && each !== "") url.searchParams.append(name, each);
    }
  }
  return url.href;
}

async function ask(method, url, { body, signal } = {}) {
  const json = body !== undefined && !(body instanceof FormData);
  let response;
  try {
    response = await fetch(url, {
      method,
      signal,
      body: json ? JSON.stringify(body) : body,
      headers: json ? { "Content-Type": "application/json" } : {},
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer. Is it still running?", { kind: "offline" });
  }
  if (response.ok) return response;
  throw await problem(response);
}

async function problem(response) {
  let told = {};
  try {
    told = (await response.json()).error ?? {};
  } catch {
    /* no JSON: a proxy, perhaps */
  }
  const message = told.message || `The server answered ${response.status}.`;
  const error = new ApiError(message, { kind: told.kind, status: response.status });
  // The login itself tells what is wrong with a token.
  if (response.status === 401 && !response.url.endsWith("/session")) document.dispatchEvent(new Event("unauthorized"));
  return error;
}

/** GET; the JSON of the answer, with its tracks remembered. */
export async function get(path, parameters = {}, signal = undefined) {
  const response = await ask("GET", address(path, parameters), { signal });
  return remember(await response.json());
}

/** POST, or another method; the JSON of the answer, or null without one. */
export async function send(path, body, { method = "POST", signal } = {}) {
  const response = await ask(method, address(path), { body, signal });
  const text = await response.text();
  return text ? remember(JSON.parse(text)) : null;
}

/** POST; the answer itself, for files to keep. */
export async function fetched(path, body) {
  return (await ask("POST", address(path), { body })).blob();
}

/** POST of a form with progress, which fetch cannot tell. @param {(share: number) => void} onprogress */
export function upload(path, form, { signal, onprogress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address(path));
    request.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    request.onload = async () => {
      const response = new Response(request.responseText || null, { status: Math.max(request.status, 200) });
      if (request.status < 300) resolve(remember(await response.json()));
      else reject(await problem(response));
    };
    request.onerror = () => reject(new ApiError("The file could not be sent.", { kind: "offline" }));
    request.onabort = () => reject(new DOMException("left", "AbortError"));
    signal?.addEventListener("abort", () => request.abort());
    request.send(form);
  });
}

/* Tracks seen so far, by id: a playlist or a link names ids, and most of them were just shown. */
const known = new Map();

function remember(answer) {
  const found = [answer?.tracks, answer?.answers, answer?.steps].find(Array.isArray) ?? [];
  for (const each of found) keep(each?.track ?? each);
  return answer;
}

/** Remember a track that did not come from `get` or `send`. */
export function keep(track) {
  if (track && track.id && (track.duration || !known.has(track.id))) known.set(track.id, track);
}

const AT_ONCE = 40; // a filter has at most 1000 characters

/** The tracks of these ids, in their order, without those that are no more. */
export async function tracksOf(ids, signal = undefined) {
  const wanted = [...new Set(ids)].filter((id) => !known.get(id)?.duration);
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE).map((id) => `'${id.replaceAll("'", "")}'`);
    await get("tracks", { filter: `id IN (${some.join(", ")})`, limit: AT_ONCE }, signal);
  }
  return ids.map((id) => known.get(id)).filter(Boolean);
}

/** Where the sound of a track is. @param {import("./names.js").Track} track */
export function audioOf(track) {
  return track.audio ?? address(`tracks/${encodeURIComponent(track.id)}/audio`);
}
