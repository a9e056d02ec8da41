/* The library: what is in it, indexing as it goes on, files that cannot be used, what is there twice. */

import { address, get, send } from "./api.js";
import { fill, h, tell } from "./dom.js";
import { many, nameOf, span } from "./names.js";
import { again, link } from "./routes.js";

export const title = "Library";

const STAGES = { scan: "Looking for files", tags: "Reading tags", embed: "Listening", finish: "Tidying up" };

const EVERY = 5000; // ms between looks at the counts while it is indexed

export async function show(main, _parameters, signal) {
  const status = await get("status", {}, signal);
  const counts = facts();
  const job = h("section", { class: "job", "aria-label": "Indexing" });
  const failures = h("section", { class: "failures", "aria-label": "Files that cannot be used" });
  const twice = h("section", { "aria-label": "Duplicates" });
  fill(main, h("h1", {}, "Library"), counts.parts, job, failures, twice,
    status.needs_token ? h("p", {}, h("button", { class: "button", onclick: leave }, "Log out")) : null);
  counts.update(status);
  watch(job, status, signal, async ({ ended = false } = {}) => {
    try {
      const now = await get("status", {}, signal);
      counts.update(now);
      if (ended) await showFailures(failures, signal);
      return now;
    } catch {
      return null; // left, or the server is busy: what was shown still stands
    }
  });
  offerDuplicates(twice, signal);
  await showFailures(failures, signal);
  return null;
}

/** What is in it; `update` changes the figures and leaves what was unfolded. */
function facts() {
  const figures = h("dl", { class: "figures" });
  const genres = h("ul", { class: "chips", "aria-label": "Genres" });
  const about = h("div", {});
  const update = (status) => {
    const rows = [
      ["Tracks", Number(status.tracks).toLocaleString("en")], ["Artists", Number(status.artists).toLocaleString("en")],
      ["Albums", Number(status.albums).toLocaleString("en")], ["Music", span(status.duration)],
    ];
    fill(figures, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    genres.hidden = !status.genres?.length;
    fill(genres, (status.genres ?? []).map((genre) => h("li", {},
      h("a", { class: "chip", href: link("tracks", { filter: `genre = '${String(genre.name).replaceAll("'", "''")}'` }) },
        genre.name, " ", h("span", { class: "number" }, genre.tracks)))));
    fill(about, h("ul", { class: "plain" }, (status.roots ?? []).map((root) => h("li", { class: "where" }, root))),
      h("p", { class: "where" }, `${status.model ?? "no encoder yet"} · soundalike ${status.version}`));
  };
  return { update, parts: [figures, genres, h("details", { class: "about" }, h("summary", {}, "Folders and encoder"), about)] };
}

/** The form that starts indexing, or how far it has come. @param {Function} look shows the counts anew, and gives the status */
function watch(place, status, signal, look) {
  let events = null;
  let looking = 0;
  const stop = () => {
    events?.close();
    clearInterval(looking);
  };
  signal.addEventListener("abort", stop);

  function idle(last, now = status) {
    const known = [...new Set([...(now.roots ?? []), ...(now.music ?? [])])];
    const folders = h("select", { id: "folders" }, h("option", { value: "" }, "All folders again"),
      known.map((folder) => h("option", { value: folder }, folder)));
    const form = h("form", { class: "folders", onsubmit: async (event) => {
      event.preventDefault();
      const named = folders.value;
      try {
        running(await send("index", named ? { folders: [named] } : {}));
      } catch (error) {
        tell(error.message, { error: true });
      }
    } }, h("label", { for: "folders" }, "What to look through"), folders, h("button", { type: "submit", class: "button main" }, "Index"));
    fill(place, h("h2", {}, "Indexing"), outcome(last), form,
      h("p", { class: "says" }, "Only new and changed files are listened to. Other folders are named where the server is started: --music FOLDER."));
  }

  function running(first) {
    const bar = h("progress", { max: 1, "aria-label": "Indexing" });
    const stage = h("p", { class: "stage" });
    const left = h("p", { class: "facts" });
    fill(place, h("h2", {}, "Indexing"), stage, bar, left, h("div", { class: "buttons" },
      h("button", { class: "button", onclick: () => send("index", undefined, { method: "DELETE" }).catch((error) => tell(error.message, { error: true })) }, "Cancel")),
    h("p", { class: "says" }, "Questions are answered all the while, from the last state that was complete; a small library takes new states up as it doubles."));
    const draw = (job) => {
      stage.textContent = STAGES[job.stage] ?? job.stage;
      if (job.total) bar.value = job.done / job.total;
      else bar.removeAttribute("value");
      left.textContent = [
        job.total ? `${job.done.toLocaleString("en")} of ${job.total.toLocaleString("en")}` : "",
        job.rate ? `${job.rate.toFixed(1)} a second` : "", job.seconds_left ? `${span(job.seconds_left)} left` : "",
        job.failed ? `${many(job.failed, "file")} cannot be used` : "",
      ].filter(Boolean).join(" · ");
    };
    const over = async (job) => {
      stop();
      tell(job.state === "failed" ? job.error : job.state === "cancelled" ? `Cancelled; ${heard(job)}` : "Indexing is done.", { error: job.state === "failed" });
      idle(job, (await look({ ended: true })) ?? status);
    };
    draw(first);
    stop();
    looking = setInterval(look, EVERY);
    events = new EventSource(address("index/events"));
    const took = (event) => {
      const job = JSON.parse(event.data);
      if (job && job.state === "running") draw(job);
      else if (job) over(job);
    };
    events.onmessage = took;
    for (const name of ["job", "progress", "done"]) events.addEventListener(name, took);
  }

  if (status.indexing?.state === "running") running(status.indexing);
  else idle(status.indexing);
}

function outcome(job) {
  if (!job) return null;
  if (job.error) return h("p", { class: "error" }, job.error);
  if (job.state === "cancelled") return h("p", { class: "facts" }, `Cancelled; ${heard(job)}`);
  const done = Object.entries(job.report ?? {}).filter(([name, count]) => typeof count === "number" && count && name !== "seconds");
  const said = done.map(([name, count]) => `${count.toLocaleString("en")} ${name.replaceAll("_", " ")}`).join(", ");
  return h("p", { class: "facts" }, "Last time: ", said || "nothing was new");
}

/** What a cancelled job leaves; before it listens, it counts other things. */
function heard({ stage, done: dealt, failed }) {
  const done = dealt - failed;
  if (!done || stage !== "embed") return "no new file was heard yet.";
  return done === 1 ? "1 file was heard, it is kept." : `${many(done, "file")} were heard, they are kept.`;
}

async function showFailures(place, signal) {
  const { failures = [], left_out: leftOut = [] } = await get("failures", {}, signal);
  const open = new Set([...place.querySelectorAll("[open]")].map((each) => each.className));
  const table = (kind, label, rows) => h("details", { class: kind, open: open.has(kind) }, h("summary", {}, label),
    h("ul", { class: "plain" }, rows.slice(0, 1000).map(({ path, reason }) => h("li", {}, h("span", { class: "where" }, path), h("br"), reason))));
  fill(place, h("h2", {}, "Files that cannot be used"),
    failures.length ? table("failed", many(failures.length, "file"), failures) : h("p", { class: "facts" }, "None."),
    leftOut.length ? table("left-out", `${many(leftOut.length, "file")} left out as too short or too long`, leftOut) : null);
}

function offerDuplicates(place, signal) {
  fill(place, h("h2", {}, "There twice"), h("button", { class: "button", onclick: async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      const { duplicates } = await get("duplicates", {}, signal);
      fill(place, h("h2", {}, "There twice"), h("p", { class: "facts" }, many(duplicates.length, "recording")),
        h("ul", { class: "plain groups" }, duplicates.map((group) => h("li", {}, `${group.kind}: ${group.why}`,
          h("ul", { class: "plain" }, group.tracks.map((track) => h("li", {}, h("a", { href: link("similar", { like: track.id }) }, nameOf(track)), " ", h("span", { class: "where" }, track.path))))))));
    } catch (error) {
      button.disabled = false;
      tell(error.message, { error: true });
    }
  } }, "Look for duplicates"));
}

async function leave() {
  await send("session", undefined, { method: "DELETE" });
  again();
}
