/* How things are called and written: times, tracks, sizes. */

/** Seconds as 3:07 or 1:02:45. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–:––";
  const whole = Math.max(0, Math.round(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Seconds in words: 12 s, 4 min, 3 h 20 min, 12 days. */
export function span(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** What people type as a time, "3:30", "1:02:45" or "90", in seconds; null if it is none. */
export function seconds(text) {
  const trimmed = String(text).trim();
  if (!/^\d+(:[0-5]?\d){0,2}(\.\d+)?$/.test(trimmed)) return null;
  return trimmed.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** A number with its word: 1 track, 2,300 tracks. */
export function many(number, word) {
  return `${Number(number).toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

/** The last part of a path. */
export function fileName(path) {
  return String(path).split(/[/\\]/).pop() || String(path);
}

/**
 * @typedef {Object} Track
 * @property {string} id
 * @property {string} path
 * @property {string} title
 * @property {string} artist
 * @property {string} album
 * @property {number} duration seconds
 * @property {string} [audio] address of its sound, of a file that is in no library
 */

/** @param {Track} track */
export function titleOf(track) {
  return track.title || fileName(track.path || track.id);
}

/** Artist and title. @param {Track} track */
export function nameOf(track) {
  return track.artist ? `${track.artist} – ${titleOf(track)}` : titleOf(track);
}

/** A similarity as it is shown everywhere. */
export function twoDigits(similarity) {
  return Number(similarity).toFixed(2);
}
