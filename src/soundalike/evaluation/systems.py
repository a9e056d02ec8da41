"""What is under test: anything that describes sounds and says how alike two descriptions are.

    Encoder     a shipped model or a model folder, its segments compared by an aggregation
    Statistic   a function of a waveform: the baselines
    Peer        somebody else's program, run by another Python

Encoders are compared as listeners use them (library/aggregation.py). The numbers of a statistic or a peer
have no common scale, so each is standardised first (`Vectors`), by mean and deviation over sounds that
are not in question: the training split. A system with a measure of its own brings its own `similarity`.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import wave
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, Self
from zipfile import BadZipFile

import numpy as np

from soundalike.embedder import Embedder, shipped_models
from soundalike.errors import ModelError
from soundalike.evaluation.descriptions import Descriptions, Progress, silently
from soundalike.evaluation.sounds import SAMPLE_RATE, Sound, digest
from soundalike.library.aggregation import check_aggregation, similarity_matrix, unit
from soundalike.library.disk import reason

WORKERS = 2  # sounds encoded side by side, one thread each


class System(Protocol):
    """Whatever can be asked how alike two sounds are; attributes will do for properties."""

    @property
    def name(self) -> str:
        """As typed."""

    @property
    def identity(self) -> str:
        """Changes whenever its answers would: weights, version, what it was fitted on."""

    @property
    def sample_rate(self) -> int:
        """Hz, of the waveforms it wants."""

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """One description per waveform float32 [T], in order: float32, of any shape it likes."""

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        """How alike every query and every track are: float32 [Q, N], higher is more alike."""

    def numbers(self, description: np.ndarray) -> int:
        """How many numbers must be kept of a track, to compare it."""


def find_system(
    name: str,
    *,
    aggregation: str = "mean",
    training: Sequence[Sound] = (),
    fitted_on: str = "train",
    cache: Path | None = None,
    progress: Progress = silently,
) -> System:
    """Make the system of a name: "default", a shipped model, a model folder, a baseline or a peer.

    Args:
        name: as people type it.
        aggregation: how an encoder's segments are compared; the others have no segments.
        training: sounds to fit scales on; those that cannot be decoded are left out.
        fitted_on: what these are, for the identity: "train", or "the set itself".
        cache: folder of descriptions, where those of the training sounds are kept too.
        progress: is called with sounds done and sounds in all while fitting.

    Raises:
        ModelError: no such system, with the names it may have been meant for; or it cannot be run.
    """
    from soundalike.evaluation.baselines import BASELINES, SYSTEMS

    require_system(name)
    if name in SYSTEMS:
        return SYSTEMS[name](training, fitted_on, cache=cache, progress=progress)
    if name in BASELINES:
        return Statistic(name, BASELINES[name]).fit(
            training, fitted_on, cache=cache, progress=progress
        )
    if name in peers():
        return Peer(name, peers()[name]).fit(training, fitted_on, cache=cache, progress=progress)
    return Encoder(name, aggregation)


def require_system(name: str) -> None:
    """Check a name without making the system.

    Raises:
        ModelError: there is none; the message has the names it may have been meant for.
    """
    known = system_names()
    if name in known or Path(name).is_dir():
        return
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ModelError(
        f"no model {name!r}{meant}: no such folder, and the names are {', '.join(known)}"
    )


def system_names() -> list[str]:
    """Every name `find_system` knows, besides folders."""
    from soundalike.evaluation.baselines import BASELINES, SYSTEMS

    return ["default", *shipped_models(), *BASELINES, *SYSTEMS, *peers()]


def peers() -> dict[str, Path]:
    """The scripts in `evaluation/peers`, by the name people type."""
    scripts = sorted((Path(__file__).parent / "peers").glob("[!_]*.py"))
    return {script.stem.replace("_", "-"): script for script in scripts}


class Encoder:
    """A model folder: segment vectors [S, D] with unit rows, compared by an aggregation.

    Args:
        model: a shipped model, a folder, "default", or one that is open already.
        aggregation: "mean", "concat" or "maxsim".

    Raises:
        ModelError: there is no such model, or it cannot be read.
        QueryError: there is no such aggregation.
    """

    def __init__(self, model: str | Embedder, aggregation: str = "mean") -> None:
        self.aggregation = check_aggregation(aggregation)
        if isinstance(model, Embedder):
            self.name, self.embedder = model.name, model
        else:
            self.name, self.embedder = model, Embedder(None if model == "default" else model)
        self.identity = self.embedder.identity
        self.sample_rate = self.embedder.sample_rate

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Segment vectors [S, D] of each, some encoded side by side; the bits do not depend on that."""
        waiting: deque[Future[np.ndarray]] = deque()
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="describe") as pool:
            for waveform in waveforms:
                waiting.append(pool.submit(self._vectors, waveform))
                if len(waiting) > WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        """What a library would say: cosines under the aggregation, lifted where a piece is recognised."""
        return similarity_matrix(queries, tracks, self.aggregation, self.embedder.senses)

    def numbers(self, description: np.ndarray) -> int:
        """D for the mean, else S * D."""
        return int(description.shape[1] if self.aggregation == "mean" else description.size)

    def _vectors(self, waveform: np.ndarray) -> np.ndarray:
        try:
            return self.embedder.embed_waveform(waveform)
        except ValueError as error:
            if "silent" not in str(error):
                raise
            # Where it listened nothing sounds: it knows nothing, and is as far from all.
            shape = (self.embedder.segment_count, self.embedder.dimension)
            return np.zeros(shape, dtype=np.float32)


class Vectors:
    """Rows of numbers without a common scale: standardised, then compared by cosine.

    Descriptions are raw, [S, D]; S rows count as their mean. `fit` must come before `similarity`.

    Attributes:
        mean, deviation: float64 [D], of each number over the sounds of `fit`.
        description_identity: changes whenever a description would; `identity` also with the fit.
    """

    sample_rate = SAMPLE_RATE

    def __init__(self, name: str, version: str, release: str = "") -> None:
        self.name = name
        self.spoken = f"{name} {release}".strip()
        self.identity = self.description_identity = f"{self.spoken}@{version}"
        self.mean = self.deviation = np.zeros(0)

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """One raw description [S, D] per waveform."""
        raise NotImplementedError

    def fit(
        self,
        training: Sequence[Sound],
        fitted_on: str = "train",
        *,
        cache: Path | None = None,
        progress: Progress = silently,
    ) -> Self:
        """Learn the scale of each number from sounds, leaving out those that cannot be decoded.

        Raises:
            ModelError: none of them can be used.
        """
        heard = Descriptions(self, cache, progress).heard(training)
        if not heard:
            raise ModelError(
                f"{self.name} has no scale: none of the {len(training)} sounds to fit it on can be "
                "used; it needs rows of the split train, or a set to compare"
            )
        rows = np.stack([self._row(each) for each in heard.values()]).astype(np.float64)
        self.mean, self.deviation = rows.mean(axis=0), rows.std(axis=0)
        fitted = digest(self.identity, *heard)
        self.identity = f"{self.spoken}@{fitted} fitted on {fitted_on}"
        return self

    def similarity(self, queries: Sequence[np.ndarray], tracks: Sequence[np.ndarray]) -> np.ndarray:
        """Cosines of standardised rows."""
        cosines: np.ndarray = self._standardised(queries) @ self._standardised(tracks).T
        return cosines.astype(np.float32)

    def numbers(self, description: np.ndarray) -> int:
        """D: rows are folded into one."""
        return len(self._row(description))

    def _row(self, description: np.ndarray) -> np.ndarray:
        """What is compared of a description: float32 [D]."""
        return np.asarray(description.mean(axis=0))

    def _standardised(self, descriptions: Sequence[np.ndarray]) -> np.ndarray:
        if not len(self.mean):
            raise ValueError(f"{self.name} has not been fitted")
        rows = np.stack([self._row(each) for each in descriptions]).astype(np.float64)
        # A number that never changed in the fit has no scale, and says nothing here.
        changes = self.deviation > 1e-6 * np.maximum(np.abs(self.mean), 1e-6)
        standard = np.where(changes, (rows - self.mean) / np.where(changes, self.deviation, 1), 0)
        return np.asarray(unit(standard))


class Statistic(Vectors):
    """A pure function: waveform float32 [T] at 16 kHz -> float32 [1, D].

    Its version is a digest of the source files it lives among: a change there describes all anew.
    """

    def __init__(self, name: str, function: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__(name, source_digest(function))
        self.function = function

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """One row of each."""
        return map(self.function, waveforms)


class Peer(Vectors):
    """Somebody else's program: a script of `evaluation/peers`, run by a Python that has it installed.

    The script is called as `python SCRIPT SOUNDS OUT`. SOUNDS is a folder of 000000.wav, 000001.wav ...
    (mono, 16 bit, at the script's SAMPLE_RATE if it sets one at the top level, else 16 kHz); a PACKAGE
    it names there is one whose version the identity tells. It writes
    OUT, an .npz with an array "000000", "000001" ... for each: float32 [S, D]. A line of its docstring
    that begins with "Install:" is shown to those who lack it. COLUMNS, such as "0:100", are those of the D
    that are compared; SCRIPT names another peer that writes them, whose descriptions are shared. The Python
    is that of the variable SOUNDALIKE_PEER_<NAME>, or of the virtual environment `.cache/peers/<name>` (of
    the name in the script's ENVIRONMENT, or SCRIPT, if it sets one), or the running one.
    """

    def __init__(self, name: str, script: Path) -> None:
        docstring, own = _read_script(script)
        self.script = script.with_name(f"{own.get('SCRIPT', script.stem)}.py")
        _, run = _read_script(self.script)
        self.environment = run.get("ENVIRONMENT", self.script.stem)
        # Scripts that share an environment may share code too.
        owner = script.with_name(f"{self.environment}.py")
        self.name = name
        release = self._release(run.get("PACKAGE", ""))
        texts = [path.read_text("utf-8") for path in (self.script, owner) if path.is_file()]
        super().__init__(name, digest(*texts, own.get("COLUMNS", ""), release), release)
        self.description_identity = f"{self.script.stem} {release}@{digest(*texts, release)}"
        self.sample_rate = int(run.get("SAMPLE_RATE", SAMPLE_RATE))
        columns = own.get("COLUMNS", "")
        self.columns = slice(*map(int, columns.split(":"))) if columns else slice(None)
        told = (line for line in docstring.splitlines() if line.startswith("Install:"))
        self.install = next(told, "")

    @property
    def python(self) -> str:
        """The interpreter that runs the script."""
        chosen = os.environ.get(f"SOUNDALIKE_PEER_{self.name.upper().replace('-', '_')}")
        own = Path(".cache/peers") / self.environment / "bin/python"
        return chosen or (str(own) if own.exists() else sys.executable)

    def describe(self, waveforms: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """What the script says of each.

        Raises:
            ModelError: the script fails, with its last words and how to install what it needs.
        """
        with tempfile.TemporaryDirectory(prefix="soundalike-") as folder:
            sounds, out = Path(folder, "sounds"), Path(folder, "out.npz")
            sounds.mkdir()
            names = []
            for number, waveform in enumerate(waveforms):
                names.append(f"{number:06}")
                _write_wav(sounds / f"{names[-1]}.wav", waveform, self.sample_rate)
            self._run(sounds, out)
            try:
                with np.load(out, allow_pickle=False) as answers:
                    found = [np.atleast_2d(answers[name]).astype(np.float32) for name in names]
            except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile) as error:
                words = f"what {self.script.name} wrote cannot be read: {error!r}"
                raise ModelError(f"{self.name}: {words}") from error
            yield from found

    def _row(self, description: np.ndarray) -> np.ndarray:
        return super()._row(description)[self.columns]

    def _release(self, package: str) -> str:
        """Of the package that the peer is, "0.2.0"; "" where none is named, or it is not there."""
        if not package:
            return ""
        asked = f"import importlib.metadata as m; print(m.version({package!r}))"
        try:
            done = subprocess.run(
                [self.python, "-c", asked], capture_output=True, text=True, check=False
            )
        except OSError:
            return ""  # describing will say what is wrong
        return done.stdout.strip() if not done.returncode else ""

    def _run(self, sounds: Path, out: Path) -> None:
        command = [self.python, str(self.script), str(sounds), str(out)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            words = f"it cannot be run: {reason(error)}"
        else:
            if out.is_file() and not done.returncode:
                return
            words = (done.stderr.strip().splitlines() or ["it wrote nothing"])[-1]
            if done.returncode < 0:
                words = f"it was stopped by {signal.Signals(-done.returncode).name}"
            if done.returncode == -signal.SIGILL:
                words += ": its build needs instructions that this processor lacks"
        failed = f"{self.name}: {self.script.name} failed under {self.python}: {words}"
        raise ModelError(". ".join(filter(None, [failed, self.install])))


def _read_script(path: Path) -> tuple[str, dict[str, str]]:
    """The docstring of a Python file and its constants, without running it."""
    tree = ast.parse(path.read_text("utf-8"))
    constants = {
        ast.unparse(node.targets[0]): str(node.value.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    return ast.get_docstring(tree) or "", constants


def source_digest(function: Callable[..., object] | type) -> str:
    """12 hexadecimal digits of the Python files in the folder that a function or class lives in."""
    folder = Path(inspect.getfile(function)).parent
    return digest(*(path.read_text("utf-8") for path in sorted(folder.glob("*.py"))))


def _write_wav(path: Path, waveform: np.ndarray, sample_rate: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.round(waveform.clip(-1, 1) * 32767).astype("<i2").tobytes())
