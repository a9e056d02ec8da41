"""Audio Spectrogram Transformer: log-mel [B, M, F] -> h [B, D].

Source: Gong, Chung & Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021, section 2;
patch dropping in training from Koutini et al., "Efficient Training of Audio Transformers with
Patchout", Interspeech 2022. With equal weights the output equals `transformers.ASTModel` (a test
holds that).

We differ from AST in three ways, all settings: patches may be rectangles without overlap, the
output may be the mean of the patch tokens, and inputs shorter than `max_frames` use the first
columns of the position grid instead of padding (the author of AST found padding to hurt).

Letters: B batch, M mel bands, F frames, N patches, D width.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class ASTSettings:
    """Shape of the transformer; by default a segment of 30 s is 558 patches, and 2.8 M weights."""

    n_mels: int = 96
    max_frames: int = 1_499  # 30 s at a hop of 20 ms
    patch_mels: int = 16
    patch_frames: int = 16
    stride_mels: int = 16
    stride_frames: int = 16
    width: int = 192  # D
    depth: int = 6
    heads: int = 3
    hidden: int = 768  # of the block's MLP
    pooling: Literal["mean", "class"] = "mean"

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width={self.width} is not a multiple of heads={self.heads}")
        if self.pooling not in ("mean", "class"):
            raise ValueError(f'pooling="{self.pooling}" is neither "mean" nor "class"')
        if self.n_mels < self.patch_mels or self.max_frames < self.patch_frames:
            raise ValueError(
                f"a patch of {self.patch_mels} x {self.patch_frames} does not fit into "
                f"n_mels={self.n_mels} x max_frames={self.max_frames}"
            )

    @classmethod
    def published_ast(cls, max_frames: int = 1_024) -> ASTSettings:
        """The base model of the published checkpoints: 16 x 16 patches that overlap by 6."""
        return cls(
            n_mels=128,
            max_frames=max_frames,
            stride_mels=10,
            stride_frames=10,
            width=768,
            depth=12,
            heads=12,
            hidden=3_072,
            pooling="class",
        )

    @property
    def grid(self) -> tuple[int, int]:
        """Patches along mel and along time of the longest input."""
        return (
            (self.n_mels - self.patch_mels) // self.stride_mels + 1,
            (self.max_frames - self.patch_frames) // self.stride_frames + 1,
        )


class Block(nn.Module):
    """Pre-norm transformer block (ViT): x + attention(norm(x)), then x + MLP(norm(x))."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width, eps=1e-12)
        self.mlp_in = nn.Linear(width, hidden)
        self.mlp_out = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [B, N, D] to tokens [B, N, D]."""
        B, N, D = x.shape
        joint = self.query_key_value(self.attention_norm(x)).view(B, N, 3, self.heads, -1)
        query, key, value = joint.permute(2, 0, 3, 1, 4)  # each [B, heads, N, D / heads]
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(B, N, D))
        out: Tensor = x + self.mlp_out(F.gelu(self.mlp_in(self.mlp_norm(x))))
        return out


class AST(nn.Module):
    """Audio Spectrogram Transformer.

    Args:
        settings: the shape.
    """

    def __init__(self, settings: ASTSettings) -> None:
        super().__init__()
        self.settings = settings
        D, (rows, columns) = settings.width, settings.grid
        self.patches = nn.Conv2d(
            1,
            D,
            kernel_size=(settings.patch_mels, settings.patch_frames),
            stride=(settings.stride_mels, settings.stride_frames),
        )
        # The class and the distillation token of DeiT, from which AST's published weights come.
        self.class_tokens = nn.Parameter(torch.zeros(1, 2, D))
        self.class_positions = nn.Parameter(torch.zeros(1, 2, D))
        self.patch_positions = nn.Parameter(sine_positions(rows, columns, D))
        self.blocks = nn.ModuleList(
            Block(D, settings.heads, settings.hidden) for _ in range(settings.depth)
        )
        self.norm = nn.LayerNorm(D, eps=1e-12)
        self.apply(_initialise)
        nn.init.trunc_normal_(self.class_tokens, std=0.02)

    @property
    def dimension(self) -> int:
        """D, the width of h."""
        return self.settings.width

    def forward(self, log_mel: Tensor, keep: float = 1.0) -> Tensor:
        """Representation of a batch of spectrograms.

        Args:
            log_mel: float32 [B, M, F], F from one patch up to `max_frames`.
            keep: share of the patches that are looked at, drawn anew for each example (patchout).
                Below 1 only in training.

        Returns:
            h, float32 [B, D].

        Raises:
            ValueError: the spectrogram is too short, too long or has another number of bands.
        """
        x, _ = self._look(log_mel, keep)
        return self._pooled(x)

    def layers(
        self,
        log_mel: Tensor,
        means: Collection[int],
        deviations: Collection[int] = (),
        thinning: int = 1,
    ) -> Tensor:
        """What several blocks give, side by side.

        Args:
            log_mel: float32 [B, M, F].
            means: numbers of the blocks, from 1, that are pooled as h is; that of the last one is h.
            deviations: of those whose patches are asked how far they are from each other.
            thinning: of the patches one in so many is looked at, evenly spread. A network that learnt
                with most of them dropped misses little.

        Returns:
            float32 [B, R x D] for R names: block by block, the mean before the standard deviation.

        Raises:
            ValueError: no block is named, or the spectrogram is one that `forward` refuses.
        """
        x, _ = self._begin(log_mel, 1.0, thinning)
        given = []
        for number, block in enumerate(self.blocks[: max((*means, *deviations))], 1):
            x = block(x)
            output = self.norm(x) if number == len(self.blocks) else x
            if number in means:
                given.append(self._pooled(output))
            if number in deviations:
                given.append(output[:, 2:].var(dim=1, correction=0).sqrt())
        return torch.cat(given, dim=1)

    def hear(self, log_mel: Tensor, keep: float, spans: int) -> tuple[Tensor, Tensor]:
        """Representation of the whole and of each of `spans` equal stretches of time, in training.

        Args:
            log_mel: float32 [B, M, F].
            keep: share of the patches that are looked at.
            spans: T, stretches.

        Returns:
            h, float32 [B, D], and the mean of the patch tokens of each stretch, float32 [B, T, D];
            NaN where patchout left none.
        """
        x, column = self._look(log_mel, keep)
        columns = (log_mel.shape[2] - self.settings.patch_frames) // self.settings.stride_frames + 1
        member = F.one_hot(column * spans // columns, spans).to(x.dtype)  # [B, n, T]
        count = member.sum(dim=1).unsqueeze(-1)  # [B, T, 1]
        means = (member.transpose(1, 2) @ x[:, 2:]) / count.clamp(min=1)
        return self._pooled(x), means.masked_fill(count == 0, torch.nan)

    def _look(self, log_mel: Tensor, keep: float) -> tuple[Tensor, Tensor]:
        """Tokens after the last block, [B, 2 + n, D], and the column each patch lies in, [B, n]."""
        x, column = self._begin(log_mel, keep)
        for block in self.blocks:
            x = block(x)
        return self.norm(x), column

    def _begin(self, log_mel: Tensor, keep: float, thinning: int = 1) -> tuple[Tensor, Tensor]:
        """Tokens before the first block, [B, 2 + n, D], and the column each patch lies in, [B, n]."""
        self._check(log_mel)
        tokens = self.patches(log_mel.unsqueeze(1)).permute(0, 2, 3, 1)  # [B, rows, columns, D]
        tokens = tokens + self.patch_positions[:, :, : tokens.shape[2]]
        B, rows, columns, _ = tokens.shape
        tokens = tokens.flatten(1, 2)  # [B, N, D], mel-major as in AST
        place = torch.arange(rows * columns, device=tokens.device).expand(B, -1)
        if keep < 1.0:
            tokens, place = patchout(tokens, keep)
        elif thinning > 1:
            kept = evenly(rows, columns, thinning).to(tokens.device)
            tokens, place = tokens[:, kept], place[:, kept]
        summary = (self.class_tokens + self.class_positions).expand(B, -1, -1)
        return torch.cat([summary, tokens], dim=1), place % columns

    def _pooled(self, x: Tensor) -> Tensor:
        pooled = x[:, :2] if self.settings.pooling == "class" else x[:, 2:]
        h: Tensor = pooled.mean(dim=1)
        return h

    def _check(self, log_mel: Tensor) -> None:
        settings = self.settings
        _, mels, frames = log_mel.shape
        if mels != settings.n_mels:
            raise ValueError(
                f"spectrogram has {mels} mel bands, this encoder takes {settings.n_mels}"
            )
        if not settings.patch_frames <= frames <= settings.max_frames:
            raise ValueError(
                f"spectrogram has {frames} frames, this encoder takes {settings.patch_frames} to "
                f"{settings.max_frames}"
            )


def patchout(tokens: Tensor, keep: float) -> tuple[Tensor, Tensor]:
    """Keep a random share of the tokens [B, N, D], another draw for each example.

    Returns:
        Tokens [B, n, D] and their places in the input, int64 [B, n].
    """
    B, N, D = tokens.shape
    kept = max(1, round(keep * N))
    places = torch.rand(B, N, device=tokens.device).argsort(dim=1)[:, :kept]
    return tokens.gather(1, places.unsqueeze(-1).expand(-1, -1, D)), places


def evenly(rows: int, columns: int, one_in: int) -> Tensor:
    """Places of one in `one_in` patches of a grid, int64 [n]; one in two is one colour of a chessboard."""
    places = range(rows * columns)
    return torch.tensor([i for i in places if (i // columns + i % columns) % one_in == 0])


def sine_positions(rows: int, columns: int, width: int) -> Tensor:
    """Starting value of the learned positions, [1, rows, columns, width]: half of it for the row,
    half for the column.

    Sines and cosines at geometric wavelengths (Vaswani et al. 2017, section 3.5), scaled to the
    size of ViT's usual random start; a network trained on few hours need not first learn what is
    near.
    """

    def axis(count: int, channels: int) -> Tensor:
        rates = torch.exp(-torch.arange(0, channels, 2) / channels * torch.log(torch.tensor(1e3)))
        angles = torch.arange(count)[:, None] * rates[None]
        return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :channels]

    by_row = axis(rows, width // 2)[:, None].expand(rows, columns, -1)
    by_column = axis(columns, width - width // 2)[None].expand(rows, columns, -1)
    return 0.2 * torch.cat([by_row, by_column], dim=-1).unsqueeze(0)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
