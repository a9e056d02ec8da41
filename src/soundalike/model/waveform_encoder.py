"""Waveform -> vector: front end, encoder and read-out as one module, with all its settings.

    waveform [B, L] -> front end -> features -> encoder -> h [B, D] -> read-out -> embedding [B, D]

D is the width of the encoder, or R times that where R means and deviations of its blocks are read out.

    kind          front end            encoder
    ast           log-mel              transformer: how music sounds
    sample_cnn    none, the waveform   CLMR's network
    pitch_cnn     constant-Q           pitch network: what is played
    timbre_cnn    log-mel              timbre network: what the sound of a moment is made of
    cepstrum      log-mel              statistics of the spectrum's shape; nothing is learnt

The read-out is fitted once after training (`Readout.fit`) and belongs to the weights: an encoder
compared by bare cosine of h is dominated by the few directions along which all music is alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from soundalike.audio.constant_q import ConstantQ, ConstantQSettings
from soundalike.audio.melspectrogram import LogMel, LogMelSettings
from soundalike.audio.segments import cut, grid, sample_range
from soundalike.model.cepstrum import Cepstrum, CepstrumSettings
from soundalike.model.encoder import AST, ASTSettings
from soundalike.model.pitch_cnn import PitchCNN, PitchCNNSettings
from soundalike.model.sample_cnn import SampleCNN, SampleCNNSettings
from soundalike.model.timbre_cnn import TimbreCNN, TimbreCNNSettings


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """How a track is cut for this encoder."""

    length: float = 30.0  # seconds
    count: int = 3  # S, segments of a track


@dataclass(frozen=True, slots=True)
class ReadoutSettings:
    """What of the encoder is read out when it has learnt; training looks at its last block alone.

    The last block of a transformer gives what it was taught to tell apart, an earlier one what the sound
    of a recording is made of; which layer serves best depends on the question (Chen et al., "Generative
    Pretraining from Pixels", ICML 2020, section 4.1, for pictures). How patches differ within a segment
    says what their mean hides: statistics pooling (Snyder et al., "X-vectors", ICASSP 2018).
    """

    means: tuple[int, ...] = ()  # blocks of an "ast", from 1, rising, whose patches' mean is read
    deviations: tuple[int, ...] = ()  # those whose patches' standard deviation is read; both (): h
    thinning: int = 1  # one in so many patches is looked at; more than 1 only if blocks are read

    @property
    def layers(self) -> int:
        """How many vectors of the encoder's width are read; 0 where it is h alone."""
        return len(self.means) + len(self.deviations)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """All that decides what a vector means, apart from the weights.

    Front ends and encoders of other kinds are there too, and without effect.
    """

    name: str = "ast-30s"
    kind: Literal["ast", "sample_cnn", "pitch_cnn", "timbre_cnn", "cepstrum"] = "ast"
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    readout: ReadoutSettings = field(default_factory=ReadoutSettings)
    front_end: LogMelSettings = field(default_factory=LogMelSettings)
    ast: ASTSettings = field(default_factory=ASTSettings)
    sample_cnn: SampleCNNSettings = field(default_factory=SampleCNNSettings)
    constant_q: ConstantQSettings = field(default_factory=ConstantQSettings)
    pitch_cnn: PitchCNNSettings = field(default_factory=PitchCNNSettings)
    timbre_cnn: TimbreCNNSettings = field(default_factory=TimbreCNNSettings)
    cepstrum: CepstrumSettings = field(default_factory=CepstrumSettings)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'kind="{self.kind}" is none of {", ".join(KINDS)}')
        require_name(self.name)
        self._check_readout()
        check = {
            "ast": self._check_ast,
            "sample_cnn": self._check_sample_cnn,
            "pitch_cnn": self._check_pitch_cnn,
            "timbre_cnn": self._check_timbre_cnn,
            "cepstrum": self._check_cepstrum,
        }
        check[self.kind]()

    # Front end, encoder and segment must agree now, not at the first batch.

    def _check_readout(self) -> None:
        for name in ("means", "deviations"):
            blocks = list(getattr(self.readout, name))
            if blocks and self.kind != "ast":
                raise ValueError(f'readout.{name}={blocks}: only an "ast" has blocks')
            if blocks and not 1 <= min(blocks) <= max(blocks) <= self.ast.depth:
                raise ValueError(
                    f"readout.{name}={blocks} must lie in 1..ast.depth={self.ast.depth}"
                )
            if blocks != sorted(set(blocks)):
                raise ValueError(f"readout.{name}={blocks} must rise, each block once")
        if self.readout.thinning != 1 and self.kind != "ast":
            raise ValueError(f'readout.thinning={self.readout.thinning}: only an "ast" has patches')

    def _check_ast(self) -> None:
        self._check_mels(self.ast.n_mels)
        frames = self.front_end.frames(self.samples)
        if not self.ast.patch_frames <= frames <= self.ast.max_frames:
            raise ValueError(
                f"segments.length={self.segments.length} s are {frames} frames, the encoder takes "
                f"{self.ast.patch_frames} to ast.max_frames={self.ast.max_frames}"
            )
        columns = (frames - self.ast.patch_frames) // self.ast.stride_frames + 1
        thinning = self.readout.thinning
        if not 1 <= thinning <= columns:
            raise ValueError(
                f"readout.thinning={thinning} must lie in 1..{columns}, the patches of a row"
            )
        if thinning > 1 and not self.readout.layers:
            raise ValueError(
                f"readout.thinning={thinning} wants blocks that are read: readout.means"
            )

    def _check_sample_cnn(self) -> None:
        if self.samples < self.sample_cnn.shortest:
            raise ValueError(
                f"segments.length={self.segments.length} s are {self.samples} samples, "
                f"SampleCNN takes {self.sample_cnn.shortest} or more"
            )

    def _check_pitch_cnn(self) -> None:
        heard, taken = self.constant_q, self.pitch_cnn
        shapes = [(part.octaves, part.bins_per_octave) for part in (heard, taken)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"constant_q has octaves x bins_per_octave={shapes[0]}, pitch_cnn takes {shapes[1]}"
            )
        self._check_shortest(heard.frames(self.samples), taken.shortest)

    def _check_timbre_cnn(self) -> None:
        self._check_mels(self.timbre_cnn.n_mels)
        self._check_shortest(self.front_end.frames(self.samples), self.timbre_cnn.stretch)

    def _check_cepstrum(self) -> None:
        self._check_mels(self.cepstrum.n_mels)
        self._check_shortest(self.front_end.frames(self.samples), self.cepstrum.shortest)

    def _check_mels(self, taken: int) -> None:
        heard = self.front_end.n_mels
        if heard != taken:
            raise ValueError(f"front_end.n_mels={heard} and {self.kind}.n_mels={taken} differ")

    def _check_shortest(self, frames: int, shortest: int) -> None:
        if frames < shortest:
            raise ValueError(
                f"segments.length={self.segments.length} s are {frames} frames, the encoder takes "
                f"{shortest} or more"
            )

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms this model takes."""
        first = KINDS[self.kind].front_end or KINDS[self.kind].encoder
        rate: int = getattr(self, first).sample_rate
        return rate

    @property
    def samples(self) -> int:
        """L, samples per segment."""
        return round(self.segments.length * self.sample_rate)


@dataclass(frozen=True, slots=True)
class Kind:
    """What an encoder is made of, and which of the settings are theirs.

    Attributes:
        front_end: field of `ModelSettings`; None where the encoder hears the waveform.
        make_front_end: settings -> module.
        encoder: field of `ModelSettings`.
        make_encoder: settings -> module.
    """

    front_end: str | None
    make_front_end: type[nn.Module]
    encoder: str
    make_encoder: type[AST | SampleCNN | PitchCNN | TimbreCNN | Cepstrum]


KINDS = {
    "ast": Kind("front_end", LogMel, "ast", AST),
    "sample_cnn": Kind(None, nn.Identity, "sample_cnn", SampleCNN),
    "pitch_cnn": Kind("constant_q", ConstantQ, "pitch_cnn", PitchCNN),
    "timbre_cnn": Kind("front_end", LogMel, "timbre_cnn", TimbreCNN),
    "cepstrum": Kind("front_end", LogMel, "cepstrum", Cepstrum),
}


def require_name(name: str) -> None:
    """Raise ValueError if `name` cannot name a model."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f'name="{name}" may hold lower-case letters, digits and dashes only')


class Hearing(Protocol):
    """What anybody who hands sound to a model wants to know of its settings."""

    @property
    def name(self) -> str:
        """Of the model, such as "ast-30s"."""

    @property
    def kind(self) -> str:
        """Of its network."""

    @property
    def segments(self) -> SegmentSettings:
        """How a track is cut."""

    @property
    def sample_rate(self) -> int:
        """Samples per second of the waveforms it takes."""

    @property
    def samples(self) -> int:
        """L, samples per segment."""


Heard: TypeAlias = dict[LogMelSettings | ConstantQSettings, Tensor]
"""What front ends made of some waveforms, so that encoders with the same one need not each do it."""


class SegmentEncoder(nn.Module):
    """What every model does, of whatever parts: segments in, vectors of unit length out.

    `forward` maps waveforms float32 [B, L] to embeddings float32 [B, D]; it takes from `heard`, and puts
    there, what front ends made of the same waveforms.
    """

    settings: Hearing

    @property
    def dimension(self) -> int:
        """D, width of the embedding."""
        raise NotImplementedError

    @torch.inference_mode()
    def describe(self, waveform: np.ndarray) -> np.ndarray:
        """Segment vectors of a whole waveform, float32 [T] -> float32 [S, D]; for evaluation."""
        rate, L = self.settings.sample_rate, self.settings.samples
        places = grid(
            len(waveform) / rate,
            count=self.settings.segments.count,
            length=self.settings.segments.length,
        )
        ranges = (sample_range(place, rate, L) for place in places)
        segments = np.stack([cut(waveform[first:past], 0, L) for first, past in ranges])
        # A cepstrum has no parameters, every read-out has buffers.
        device = next(self.buffers()).device
        vectors: np.ndarray = self(torch.from_numpy(segments).to(device)).cpu().numpy()
        return vectors


class WaveformEncoder(SegmentEncoder):
    """The network people use: audio in, vector out."""

    settings: ModelSettings

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        kind = KINDS[settings.kind]
        heard: Any = getattr(settings, kind.front_end) if kind.front_end else None
        self.front_end = kind.make_front_end(heard)
        self.encoder = kind.make_encoder(getattr(settings, kind.encoder))
        self.readout = Readout(self.dimension)

    @property
    def dimension(self) -> int:
        """D, width of the embedding."""
        return self.encoder.dimension * max(1, self.settings.readout.layers)

    def forward(self, waveforms: Tensor, heard: Heard | None = None) -> Tensor:
        """Embedding of each segment: float32 [B, L] -> float32 [B, D], rows of unit length."""
        embedding: Tensor = self.readout(self.represent(waveforms, heard))
        return embedding

    def represent(self, waveforms: Tensor, heard: Heard | None = None) -> Tensor:
        """What is read out, before the read-out: float32 [B, L] -> float32 [B, D]."""
        features, readout = self._features(waveforms, heard), self.settings.readout
        if readout.layers:
            assert isinstance(self.encoder, AST)  # the settings were checked
            return self.encoder.layers(
                features, readout.means, readout.deviations, readout.thinning
            )
        h: Tensor = self.encoder(features)
        return h

    def _features(self, waveforms: Tensor, heard: Heard | None) -> Tensor:
        name = KINDS[self.settings.kind].front_end
        if heard is None or name is None:
            features: Tensor = self.front_end(waveforms)
            return features
        settings = getattr(self.settings, name)
        if settings not in heard:
            heard[settings] = self.front_end(waveforms)
        return heard[settings]


FLOOR = 1e-4
"""Of the mean variance of what changes move: below, directions are taken to be alike."""


class Readout(nn.Module):
    """embedding = unit length of W (h - mean); until fitted, W = 1 and mean = 0.

    `fit`     centring and partial whitening: directions of large variance are shrunk by the power
              `strength` of their standard deviation (0 leaves them, 1 whitens wholly).
    `steady`  the same with the deviation that changes of the sound cause: noise, a telephone, a room.
              Within-class covariance normalisation (Hatch, Kajarekar & Stolcke, Interspeech 2006),
              where the speaker was a class; here it is one segment and its changed views.
    """

    mean: Tensor  # [D]
    weight: Tensor  # [D, D]

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("weight", torch.eye(dimension))

    def forward(self, h: Tensor) -> Tensor:
        """Map h [B, D] to unit vectors [B, D]."""
        return F.normalize((h - self.mean) @ self.weight.T, dim=1)

    @torch.no_grad()
    def fit(self, h: Tensor, *, strength: float = 0.5) -> None:
        """Fit mean and W to representations h [N, D] of training music (never of music to test on).

        Raises:
            ValueError: fewer rows than dimensions, or `strength` outside 0..1.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength={strength} must lie in 0..1")
        if len(h) < h.shape[1]:
            raise ValueError(f"{len(h)} rows are too few to fit {h.shape[1]} directions")
        h = h.double()
        mean = h.mean(dim=0)
        variance, directions = torch.linalg.eigh((h - mean).T @ (h - mean) / len(h))
        # A direction without variance carries no information; dividing by it would be all noise.
        variance = variance.clamp(min=float(variance.max()) * 1e-4)
        self.mean.copy_(mean)
        self._weigh((directions * variance ** (-strength / 2)) @ directions.T)

    @torch.no_grad()
    def steady(self, plain: Tensor, changed: Tensor, *, strength: float) -> None:
        """Shrink the directions in which changes move embeddings, after `fit`.

        Args:
            plain: representations h of training music, float32 [M, D]; a segment may stand there
                several times.
            changed: h of the same segments after some change, row by row.
            strength: power of the standard deviation of the difference.

        Raises:
            ValueError: arrays of different shapes, or fewer rows than dimensions.
        """
        if plain.shape != changed.shape or len(plain) < plain.shape[1]:
            raise ValueError(
                f"{tuple(plain.shape)} and {tuple(changed.shape)} are no [M, D], M >= D"
            )
        moved = (self(changed) - self(plain)).double()
        variance, directions = torch.linalg.eigh(moved.T @ moved / len(moved))
        # What no change moves must not become all that counts.
        variance = variance + float(variance.mean()) * FLOOR
        shrunk = (directions * variance ** (-strength / 2)) @ directions.T
        self._weigh(shrunk @ self.weight.double())

    def _weigh(self, weight: Tensor) -> None:
        """Take W [D, D] over, scaled as the identity is: the factor is lost in the unit length."""
        self.weight.copy_(weight / weight.norm() * weight.shape[0] ** 0.5)
