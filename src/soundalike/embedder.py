"""Files -> segment vectors: decoding and the encoder, side by side.

In: paths, or sound as arrays. Out: one unit vector per segment, float32 [S, D]. The encoder is one
ONNX graph from samples to vectors, run by ONNX Runtime on the CPU; PyTorch is not needed.

The vectors of a file depend on that file and the model alone: segments are encoded one by one, and
every job computes on one thread. A second run, in another order or
with more jobs, gives the same bits. A silent segment of a sounding track takes the vector of the
nearest sounding segment, for the encoder's answer to silence resembles nothing but other silence.

A model may be several encoders joined; its vectors then hold a stretch of columns per sense, which
`sense_of` takes out.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from soundalike.audio.listening import Ear, Sound, listen
from soundalike.audio.segments import Segment, cut, sample_range
from soundalike.audio.transcript import heard_again
from soundalike.audio.waveform import SHORTEST, AudioInfo, is_sounding, probe
from soundalike.errors import AudioError, ModelError, QueryError

WEIGHTS = Path(__file__).parent / "weights"
# Of config.json; what differs is of no concern where ONNX Runtime computes.
FORMATS = (1, 2, 3, 4, 5)
WAITING_PER_JOB = 4  # files begun or waiting per job; enough to ride out one long file


@dataclass(frozen=True, slots=True, eq=False)
class TrackVectors:
    """What the encoder made of one file.

    Attributes:
        path: the file, as given.
        duration: of the whole file, seconds.
        tags: of the file, keys in lower case.
        segments: S stretches the vectors stand for.
        vectors: float32 [S, D], each row of unit length.
        heard: what was listened to, for `Embedder.recognizes`; "" where that cannot be told.
    """

    path: Path
    duration: float
    tags: dict[str, str]
    segments: tuple[Segment, ...]
    vectors: npt.NDArray[np.float32]
    heard: str = ""


class Embedder:
    """An encoder with its weights.

    Args:
        model: the name of a shipped model or a model folder; None is the shipped default.
        threads: for a single call of `embed_file`, `embed_segments` or `embed_waveform`; None is 1.
            `embed` runs its jobs side by side instead, one thread each.

    Attributes:
        folder: of the model, absolute.
        name: such as "ast-30s".
        identity: name and hash of weights and settings, such as "ast-30s@3f2a91c04b7d". Vectors of
            different identities must not be compared.
        dimension: D.
        senses: the columns of each sense of a joined model, such as {"sound": slice(0, 576), ...};
            empty for a single encoder, which leaves nothing to choose.
        sample_rate: of the sound the encoder hears, Hz.
        segment_length: seconds.
        segment_count: S.
        ear: where and how it listens, for `listen`.

    Raises:
        ModelError: there is no such model, or it cannot be read.
    """

    def __init__(self, model: str | Path | None = None, *, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f"threads is {threads}; at least 1 is needed")
        self.folder = folder = _find(model).absolute()
        config = _read_config(folder)
        try:
            self.name = str(config["name"])
            self.identity = str(config["identity"])
            self.dimension = int(config["dimension"])
            self.senses = _senses(config.get("senses", {}), self.dimension)
            self.sample_rate = int(config["front_end"]["sample_rate"])
            self.segment_length = float(config["segments"]["length"])
            self.segment_count = int(config["segments"]["count"])
        except (KeyError, TypeError, ValueError) as error:
            words = f"{folder / 'config.json'}: missing or unusable setting: {error}"
            raise ModelError(words) from error
        self._samples = round(self.segment_length * self.sample_rate)
        self.ear = Ear(self.sample_rate, self._samples, self.segment_count)
        self._session = _open_session(folder / "model.onnx", threads or 1, self.dimension)
        _require_one_model(folder, self._session, self.identity)
        self._job_session = self._session
        if threads is not None and threads > 1:
            self._job_session = _open_session(folder / "model.onnx", 1, self.dimension)

    def __repr__(self) -> str:
        return f"Embedder({self.identity})"

    def embed_segments(self, segments: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Encode sound cut into segments, whatever their number: [S, L] -> [S, D], unit rows.

        Raises:
            ValueError: the shape is not [S, L] with S at least 1 and L the samples of a segment.
            ModelError: the encoder fails on them, or gives a vector that has no direction.
        """
        segments = np.ascontiguousarray(segments, dtype=np.float32)
        if segments.ndim != 2 or segments.shape[1] != self._samples or not len(segments):
            raise ValueError(
                f"segments have shape {segments.shape}; {self.name} takes [S, {self._samples}], "
                f"{self.segment_length:g} s at {self.sample_rate} Hz"
            )
        return _run(self._session, segments, self.senses)

    def embed_waveform(self, waveform: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Encode a waveform [T] at `sample_rate` as a track: its grid -> [S, D], unit rows.

        Raises:
            ValueError: the array is not [T], too short, silent, or holds NaN or infinity.
            ModelError: as in `embed_segments`.
        """
        waveform = np.asarray(waveform, dtype=np.float32)
        if waveform.ndim != 1 or len(waveform) < SHORTEST * self.sample_rate:
            raise ValueError(
                f"waveform has shape {waveform.shape}; it must be [T], mono, at least "
                f"{SHORTEST:g} s at {self.sample_rate} Hz"
            )
        if not np.isfinite(waveform).all():
            raise ValueError("waveform holds samples that are not finite")
        segments = self.ear.segments(len(waveform) / self.sample_rate)
        ranges = (sample_range(segment, self.sample_rate, self._samples) for segment in segments)
        rows = np.stack([cut(waveform[first:stop], 0, self._samples) for first, stop in ranges])
        if not any(map(is_sounding, rows)):
            raise ValueError("waveform is silent in all places listened to")
        return _encode_track(self._session, segments, rows, self.senses)

    def embed_file(
        self, path: str | Path, *, start: float | None = None, end: float | None = None
    ) -> TrackVectors:
        """Encode a file, or its excerpt from `start` to `end` in seconds.

        None means the beginning and the end; so does an `end` past the end of the file.

        Raises:
            AudioError: the file cannot be used as music.
            QueryError: no such excerpt: it is empty, under 1 s, or starts past the end of the file.
        """
        return self._embed_file(self._session, Path(path), start, end)

    def embed_sound(self, sound: Sound) -> TrackVectors:
        """Encode what `listen` heard of a file with this encoder's `ear`.

        Raises:
            AudioError: the encoder fails on it.
        """
        return self._encode(self._session, sound)

    def recognizes(self, path: str | Path, heard: str) -> AudioInfo | None:
        """Say whether this encoder would make of a file what it made of another, or of it before.

        The packets it would decode are read and compared; none is decoded.

        Args:
            path: the file, maybe with new tags.
            heard: of the `TrackVectors` made before, of a whole file, by this very encoder.

        Returns:
            What the file says of itself if the vectors would be the same bit for bit; None if not
            or if that cannot be told.
        """
        try:
            info = probe(path)
        except AudioError:
            return None
        return info if heard_again(path, heard, info.duration) else None

    def embed(
        self, paths: Iterable[str | Path], *, jobs: int | None = None
    ) -> Iterator[TrackVectors | AudioError]:
        """Encode many files, `jobs` of them at a time (None: one per CPU), in the order given.

        Paths are taken from the iterable only as jobs become free. A file that cannot be used comes
        back as the `AudioError` that says why, in its place.
        """
        jobs = (os.cpu_count() or 1) if jobs is None else jobs
        if jobs < 1:
            raise ValueError(f"jobs is {jobs}; at least 1 is needed")
        return self._embed_in_jobs(paths, jobs)

    def _embed_in_jobs(
        self, paths: Iterable[str | Path], jobs: int
    ) -> Iterator[TrackVectors | AudioError]:
        waiting: deque[Future[TrackVectors | AudioError]] = deque()
        with ThreadPoolExecutor(jobs, thread_name_prefix="embed") as pool:
            try:
                for path in paths:
                    waiting.append(pool.submit(self._embed_or_explain, Path(path)))
                    if len(waiting) == WAITING_PER_JOB * jobs:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:  # nobody will ask for the rest
                pool.shutdown(cancel_futures=True)

    def _embed_or_explain(self, path: Path) -> TrackVectors | AudioError:
        try:
            return self._embed_file(self._job_session, path, None, None)
        except AudioError as error:
            return error

    def _embed_file(
        self, session: Any, path: Path, start: float | None, end: float | None
    ) -> TrackVectors:
        return self._encode(session, listen(path, self.ear, start, end))

    def _encode(self, session: Any, sound: Sound) -> TrackVectors:
        try:
            vectors = _encode_track(session, sound.segments, sound.rows, self.senses)
        except ModelError as error:
            raise AudioError(sound.path, f"cannot be encoded: {error}") from error
        return TrackVectors(
            sound.path, sound.duration, sound.tags, sound.segments, vectors, sound.heard
        )


def sense_of(
    vectors: npt.NDArray[np.float32], sense: str, senses: Mapping[str, slice]
) -> npt.NDArray[np.float32]:
    """What one sense of a joined model says: its columns, [..., D] -> [..., D of the sense].

    Args:
        vectors: of a joined model, any number of axes before the last.
        sense: such as "composition".
        senses: the columns of each, as `Embedder.senses` has them.

    Returns:
        float32, rows of unit length, except that zero stays zero.

    Raises:
        QueryError: there is no such sense.
    """
    if sense not in senses:
        known = ", ".join(senses) or "none, for it is a single encoder"
        raise QueryError(f"no sense {sense!r}; the model has: {known}")
    own = vectors[..., senses[sense]].astype(np.float32)
    lengths = np.linalg.norm(own, axis=-1, keepdims=True)
    unit: npt.NDArray[np.float32] = (own / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with this installation."""
    return tuple(sorted(config.parent.name for config in WEIGHTS.glob("*/config.json")))


def _find(model: str | Path | None) -> Path:
    """Resolve a name, a folder or None to a model folder."""
    shipped = shipped_models()
    if model is None:
        default = WEIGHTS / "default"
        if not default.is_file():
            raise ModelError(f"no default model: {default} is missing; name a model folder")
        model = default.read_text(encoding="utf-8").strip()
    if model in shipped:
        return WEIGHTS / model
    if Path(model).is_dir():
        return Path(model)
    known = ", ".join(shipped) or "none"
    raise ModelError(f"no model {str(model)!r}: no such folder; the shipped models are: {known}")


def _read_config(folder: Path) -> dict[str, Any]:
    for name in ("config.json", "model.onnx"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder} is not a model: it holds no {name}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}") from error
    if not isinstance(config, dict) or config.get("format") not in FORMATS:
        found = config.get("format") if isinstance(config, dict) else None
        readable = f"{FORMATS[0]} to {FORMATS[-1]}"
        words = (
            f"{folder / 'config.json'} has format {found}; this version reads formats {readable}"
        )
        raise ModelError(words)
    return config


def _senses(columns: Mapping[str, Sequence[int]], dimension: int) -> dict[str, slice]:
    """The columns of each sense in order, from {sense: [first, past the last]}."""
    pairs = {sense: (int(first), int(past)) for sense, (first, past) in dict(columns).items()}
    senses = {sense: slice(*pairs[sense]) for sense in sorted(pairs, key=lambda s: pairs[s])}
    edges = [0, *(where.stop for where in senses.values())]
    firsts = [*(where.start for where in senses.values()), dimension]
    if senses and edges != firsts:
        raise ValueError(f"senses={columns} do not share out the columns 0 to {dimension}")
    return senses


def _open_session(path: Path, threads: int, dimension: int) -> Any:
    import onnxruntime  # takes a good part of a second; `import soundalike.embedder` does not wait

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors share no base but this one
        raise ModelError(f"{path} cannot be loaded: {error}") from error
    shapes = {value.name: value.shape for value in session.get_inputs() + session.get_outputs()}
    if set(shapes) != {"audio", "embedding"} or shapes["embedding"][-1] != dimension:
        words = f"{path} maps {shapes}; expected audio [S, L] -> embedding [S, {dimension}]"
        raise ModelError(words)
    return session


def _require_one_model(folder: Path, session: Any, identity: str) -> None:
    # New weights may have been saved beside an older graph; its vectors must not bear their name.
    made_from = session.get_modelmeta().custom_metadata_map.get("identity", identity)
    if made_from != identity:
        raise ModelError(
            f"{folder}: model.onnx was exported from {made_from}, config.json says {identity}; "
            "export the folder again (soundalike export)"
        )


def _run(
    session: Any, segments: npt.NDArray[np.float32], senses: Mapping[str, slice]
) -> npt.NDArray[np.float32]:
    """Encode segments one by one, which is a tenth quicker than as one batch; rows of unit length."""
    try:
        answers = [session.run(["embedding"], {"audio": row[None]})[0] for row in segments]
    except Exception as error:  # see _open_session
        raise ModelError(f"the encoder fails: {error}") from error
    vectors = np.concatenate(answers)
    for sense, where in senses.items():  # one that is silent would leave the word to the others
        _lengths(vectors[:, where], f" in the columns of {sense}")
    unit: npt.NDArray[np.float32] = (vectors / _lengths(vectors)).astype(np.float32)
    return unit


def _lengths(vectors: npt.NDArray[np.float32], where: str = "") -> npt.NDArray[np.float64]:
    """Lengths of the rows, float64 [S, 1]."""
    lengths: npt.NDArray[np.float64] = np.linalg.norm(
        vectors.astype(np.float64), axis=1, keepdims=True
    )
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ModelError(f"the encoder gives a vector that is zero or not finite{where}")
    return lengths


def _encode_track(
    session: Any,
    segments: Sequence[Segment],
    rows: npt.NDArray[np.float32],
    senses: Mapping[str, slice],
) -> npt.NDArray[np.float32]:
    """Encode each sound of a track once, [S, L] -> [S, D]; its neighbor answers for silence."""
    sounding = [i for i, row in enumerate(rows) if is_sounding(row)]
    stand_ins = [
        min(sounding, key=lambda j: abs(segments[j].start - segment.start)) for segment in segments
    ]
    sources = [segments.index(segments[j]) for j in stand_ins]  # equal segments hold equal sound
    distinct = sorted(set(sources))
    vectors = _run(session, rows[distinct], senses)
    return vectors[[distinct.index(source) for source in sources]]
