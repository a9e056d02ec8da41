"""Is all well? `Library.check()`: an examination from the versions to the files of the tracks.

Each check looks at one thing and says "ok", "warn" (it works, but not as it might) or "fail" (something
does not work), and what to do about it. Nothing is changed. A check that cannot be made says so and
does not stop the others.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from soundalike.errors import LibraryError, ModelError
from soundalike.library.aggregation import track_vector
from soundalike.library.disk import WriteLock
from soundalike.library.opened import Opened
from soundalike.library.scan import content_hash
from soundalike.library.snapshot import Snapshot
from soundalike.library.store import FailureLog
from soundalike.library.tracks import text_to_path

if TYPE_CHECKING:
    from soundalike.embedder import Embedder

OK, WARN, FAIL = "ok", "warn", "fail"
PACKAGES = ("soundalike", "av", "onnxruntime", "lancedb", "pyarrow", "numpy")
# What most libraries are made of: demuxers and decoders as FFmpeg names them.
FORMATS = ("mp3", "flac", "ogg", "mov", "wav", "aiff", "asf", "matroska", "wv", "ape")
DECODERS = ("mp3", "flac", "vorbis", "opus", "aac", "alac", "wmav2", "wavpack", "ape", "pcm_s24le")
SAMPLED = 50  # tracks whose files are looked for
LITTLE_SPACE = 1 << 30  # bytes
# Cosine of the encoder's answer with itself, asked twice in one process: the same bits.
SAME = 1 - 1e-5
# Below, a track heard again no longer finds its own neighbors.
ALIKE = 0.99


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what, such as "encoder".
        status: "ok", "warn" or "fail".
        found: what was found.
        advice: what to do about it; "" if nothing.
    """

    name: str
    status: str
    found: str
    advice: str = ""


def examine(opened: Opened) -> list[Check]:
    """Make all checks, in the order in which one thing rests on another."""
    checks: list[tuple[str, Callable[[Opened], Iterator[Check]]]] = [
        ("versions", _versions),
        ("formats", _formats),
        ("encoder", _encoder),
        ("library", _library),
        ("writer", _writer),
        ("disk", _disk),
        ("tables", _tables),
        ("folders", _folders),
        ("files", _files),
        ("hearing", _hearing),
        ("failures", _failures),
    ]
    found: list[Check] = []
    for name, check in checks:
        try:
            found += check(opened)
        except Exception as error:  # whatever is wrong, the other checks are wanted the more
            words = str(error) or type(error).__name__
            found.append(Check(name, FAIL, words, "if this says nothing to you, please report it"))
    return found


def _versions(_: Opened) -> Iterator[Check]:
    import av

    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} (run from its source)")
    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Check("versions", OK, f"{', '.join(versions)}, FFmpeg's libavcodec {codec}; {python}")


def _formats(_: Opened) -> Iterator[Check]:
    import av

    readable = {name for group in av.formats_available for name in group.split(",")}
    missing = [f for f in FORMATS if f not in readable]
    missing += [c for c in DECODERS if c not in av.codecs_available]
    if missing:
        advice = "install PyAV from its wheel (pip install --force-reinstall av)"
        yield Check("formats", WARN, f"FFmpeg lacks {', '.join(missing)}", advice)
    else:
        yield Check("formats", OK, f"FFmpeg reads {', '.join(FORMATS)} and others")


def _encoder(opened: Opened) -> Iterator[Check]:
    """Load it and let it hear a built-in sound, whose vectors must be what they should be."""
    try:
        embedder = opened.embedder()
        sounds = _sounds(embedder)
        low, again, high = (embedder.embed_segments(sound[None])[0] for sound in sounds)
    except ModelError as error:
        advice = "install soundalike anew, or name another encoder with --model"
        yield Check("encoder", FAIL, str(error), advice)
        return
    same, other = float(low @ again), float(low @ high)
    found = f"{embedder.identity} hears: itself {same:.3f}, another sound {other:.3f}"
    if not (np.isfinite([same, other]).all() and same > SAME and other < same - 1e-3):
        advice = "the vectors cannot be trusted; install onnxruntime and soundalike anew"
        yield Check("encoder", FAIL, found, advice)
        return
    yield Check("encoder", OK, found)
    if (model := opened.manifest.model) and embedder.identity != model:
        advice = "soundalike index listens anew with it; until then the old vectors answer"
        yield Check("encoder", WARN, f"the library was indexed by {model}", advice)


def _sounds(embedder: Embedder) -> list[npt.NDArray[np.float32]]:
    """A low chord twice, and hissing beats."""
    samples = round(embedder.segment_length * embedder.sample_rate)
    t = np.arange(samples) / embedder.sample_rate
    chord = np.sin(2 * np.pi * np.outer((110.0, 165.0, 220.0), t)).sum(axis=0)
    noise = np.random.default_rng(0).standard_normal(samples) * (np.sin(2 * np.pi * 4 * t) > 0.8)
    return [(0.2 * sound).astype(np.float32) for sound in (chord, chord, noise)]


def _library(opened: Opened) -> Iterator[Check]:
    opened.refresh()
    if not opened.manifest.tables:
        advice = "soundalike index FOLDER makes one"
        yield Check("library", WARN, f"there is none in {opened.folder} yet", advice)
        return
    tables = opened.manifest.tables
    yield Check("library", OK, f"{opened.folder}, {opened.manifest.model} answers of {len(tables)}")


def _writer(opened: Opened) -> Iterator[Check]:
    if not opened.manifest.tables:
        return
    if not os.access(opened.folder, os.W_OK):
        advice = "questions are answered; indexing needs permission to write there"
        yield Check("writer", WARN, f"{opened.folder} cannot be written", advice)
        return
    try:
        with WriteLock(opened.folder):
            pass
    except LibraryError as error:
        yield Check("writer", WARN, str(error), "if that process hangs, end it; nothing is lost")
        return
    yield Check("writer", OK, "nobody is writing to it, and it can be written")


def _disk(opened: Opened) -> Iterator[Check]:
    place = next(p for p in (opened.folder, *opened.folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free where the library lies"
    if free < LITTLE_SPACE:
        yield Check("disk", WARN, found, "indexing needs about 27 KB per track, twice at its end")
    else:
        yield Check("disk", OK, found)


def _tables(opened: Opened) -> Iterator[Check]:
    """Manifest, tables and snapshots must tell of the same tracks."""
    for identity, entry in opened.manifest.tables.items():
        name = f"table of {identity}"
        try:
            rows, snapshot = len(opened.table(identity).read(["id"])), opened.load(entry)
            agrees = snapshot is not None and _agrees(opened, identity, snapshot)
        except Exception as error:  # whatever Lance says of files that are gone or damaged
            advice = f"move the folder {opened.folder} away, then soundalike index your music again"
            yield Check(name, FAIL, str(error) or type(error).__name__, advice)
            continue
        if snapshot is None:
            advice = "soundalike index lays it out anew; until then questions take longer"
            yield Check(name, WARN, f"{rows} tracks, not laid out for reading", advice)
        elif entry.behind:
            found = f"{rows} tracks, {len(snapshot)} of them answer"
            advice = "an indexing runs, or was cut short: soundalike index goes on with it"
            yield Check(name, WARN, found, advice)
        elif rows != len(snapshot) or not agrees:
            found = f"{rows} tracks, and the snapshot {entry.snapshot} tells of other ones"
            advice = (
                f"delete the folder {opened.folder / str(entry.snapshot)}, then soundalike index"
            )
            yield Check(name, FAIL, found, advice)
        else:
            yield Check(name, OK, f"{rows} tracks, laid out for reading")


def _agrees(opened: Opened, identity: str, snapshot: Snapshot) -> bool:
    """Compare some rows of a snapshot with the table, bit for bit."""
    rows = _some(len(snapshot))
    ids = [snapshot.ids[row] for row in rows]
    stored = opened.table(identity).read(["id", "path", "vector"], ids=ids).to_pylist()
    of_id = {row["id"]: row for row in stored}
    return len(of_id) == len(ids) and all(
        of_id[name]["path"] == snapshot.paths[row]
        and np.array_equal(np.array(of_id[name]["vector"], np.float32), snapshot.means[row])
        and abs(float(np.linalg.norm(snapshot.means[row])) - 1) < 1e-3
        for name, row in zip(ids, rows, strict=True)
    )


def _folders(opened: Opened) -> Iterator[Check]:
    for root in map(text_to_path, opened.manifest.roots):
        if os.access(root, os.R_OK):
            yield Check("folder", OK, str(root))
        else:
            why = "cannot be read" if root.exists() else "is not there"
            advice = "connect its disk; if it is gone for good: soundalike remove FOLDER"
            yield Check("folder", WARN, f"{root} {why}", advice)


def _files(opened: Opened) -> Iterator[Check]:
    snapshot = opened.snapshot() if opened.manifest.tables else None
    if not snapshot:
        return
    paths = [text_to_path(snapshot.paths[row]) for row in _some(len(snapshot))]
    missing = [path for path in paths if not path.exists()]
    if missing:
        found = f"{len(missing)} of {len(paths)} looked for are not there, such as {missing[0]}"
        yield Check("files", WARN, found, "soundalike index finds what moved and what is gone")
    else:
        yield Check("files", OK, f"all {len(paths)} looked for are there")


def _hearing(opened: Opened) -> Iterator[Check]:
    """Listen to a track again: the same file must give the vectors it gave."""
    snapshot = opened.snapshot() if opened.manifest.tables else None
    if not snapshot or opened.embedder().identity != opened.identity():
        return
    for row in _some(len(snapshot)):
        path = text_to_path(snapshot.paths[row])
        if not path.exists() or content_hash(path) != snapshot.contents[row]:
            continue
        embedder = opened.embedder()
        heard = track_vector(embedder.embed_file(path).vectors, "mean", embedder.senses)
        same = float(heard @ snapshot.means[row])
        if same > SAME:
            yield Check("hearing", OK, f"{path} sounds as it did, {same:.4f}")
        else:
            found = f"{path} sounds otherwise than when it was indexed, {same:.4f}"
            advice = (
                "other versions of FFmpeg or onnxruntime? soundalike index --force listens anew"
            )
            yield Check("hearing", FAIL if same < ALIKE else WARN, found, advice)
        return


def _failures(opened: Opened) -> Iterator[Check]:
    if not opened.manifest.tables:
        return
    count = len(FailureLog(opened.folder).reasons)
    if count:
        advice = "soundalike failures lists them with the reason"
        files = "1 file" if count == 1 else f"{count} files"
        yield Check("failures", WARN, f"{files} could not be used", advice)
    else:
        yield Check("failures", OK, "every file could be used")


def _some(count: int) -> list[int]:
    """Rows spread evenly over a library."""
    most = min(count, SAMPLED)
    return [row * count // most for row in range(most)]


def worst(checks: list[Check]) -> str:
    """The worst status among checks."""
    return max((check.status for check in checks), key=(OK, WARN, FAIL).index, default=OK)
