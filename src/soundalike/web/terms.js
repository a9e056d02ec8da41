/* The terms of a question: what stands in the page's address -> what the server is asked. */

/** What the slider of variety says; the names are those of the API. */
export const VARIETY = [
  { name: "No limits", says: "As they come, albums in a row and all", terms: { max_per_artist: 0, max_per_album: 0 } },
  { name: "Usual", says: "At most 3 of an artist, 2 of an album", terms: {} },
  { name: "Varied", says: "At most 2 of an artist, 1 of an album", terms: { max_per_artist: 2, max_per_album: 1 } },
  { name: "One each", says: "1 of an artist", terms: { max_per_artist: 1, max_per_album: 1 } },
  { name: "Others only", says: "1 of an artist, none of the one asked about",
    terms: { max_per_artist: 1, max_per_album: 1, exclude_same_artist: true } },
];
export const USUAL = 1;

/** What holds unless the address says otherwise. */
export const DEFAULTS = { n: "20", sense: "both", aggregation: "mean", variety: String(USUAL) };

/** One value of the address, or its default. */
export function value(parameters, name) {
  return parameters.get(name) ?? DEFAULTS[name] ?? "";
}

/** The same parameters with others changed; what is as by default is left out. */
export function changed(parameters, changes) {
  const made = new URLSearchParams(parameters);
  for (const [name, given] of Object.entries(changes)) {
    made.delete(name);
    for (const each of [given].flat()) {
      if (each !== "" && each !== null && each !== DEFAULTS[name]) made.append(name, each);
    }
  }
  return made;
}

/** The filter with the years that were typed in fields of their own. */
export function filterOf(parameters) {
  const [from, to] = ["from_year", "to_year"].map((name) => parseInt(parameters.get(name), 10));
  const own = (parameters.get("filter") ?? "").trim();
  const years = [Number.isFinite(from) && `year >= ${from}`, Number.isFinite(to) && `year <= ${to}`].filter(Boolean);
  if (!years.length) return own;
  return [own && `(${own})`, ...years].filter(Boolean).join(" AND ");
}

/** What `similar` is asked, besides the seeds. */
export function termsOf(parameters) {
  const variety = VARIETY[Number(value(parameters, "variety"))] ?? VARIETY[USUAL];
  return {
    n: value(parameters, "n"),
    sense: value(parameters, "sense"),
    aggregation: value(parameters, "aggregation"),
    filter: filterOf(parameters),
    min_duration: parameters.get("min_duration"),
    max_duration: parameters.get("max_duration"),
    ...variety.terms,
  };
}
