"""Batches by step: drawn from the step alone, spread over processes, two views of one place or two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from soundalike.audio.augmentations import Chain
from soundalike.training.pairs import (
    NOT_CONTRASTED,
    Batch,
    Clip,
    Pairs,
    Plan,
    Pools,
    ViewMaker,
    choose,
    read_clips,
)
from soundalike.training.sources import Source, WaveformCache

C = 40
PLAN = Plan(batch=4, steps=6, seed=3, clip=C)


class Ramps(WaveformCache):
    """Sound whose samples tell where they are from: sample t of recording r is 200 r + t."""

    def __init__(self, lengths: dict[str, int]) -> None:
        super().__init__("", 1)
        self.sounds = {
            name: (200 * number + np.arange(length)).astype(np.int16)
            for number, (name, length) in enumerate(lengths.items())
        }

    def waveform(self, path: Path) -> np.ndarray:
        return self.sounds[path.name]


RECORDINGS = [Source(f"r{i}", (Path(f"r{i}"),), artist=f"artist {i // 2}") for i in range(7)]
GROUPS = [Source(f"g{i}", (Path(f"g{i}a"), Path(f"g{i}b"), Path(f"g{i}c"))) for i in range(5)]
CACHE = Ramps(
    {source.key: 100 for source in RECORDINGS}
    | {path.name: 50 * (1 + v) for group in GROUPS for v, path in enumerate(group.recordings)}
)


def pairs(plan: Plan = PLAN, *, chain: Chain | None = None, **changes: object) -> Pairs:
    settings = {
        "labels": {"artist 0": 0, "artist 1": 1, "artist 2": 2},
        "cache": CACHE,
        "prepare": ViewMaker(chain, nn.Identity()),
        "plan": plan,
    }
    return Pairs(Pools(RECORDINGS, GROUPS), **{**settings, **changes})  # type: ignore[arg-type]


def places(batch: Batch) -> Tensor:
    """First sample of each row, [2B], as `Ramps` numbers them."""
    return (batch.features[:, 0] * 32767).round().long()


def same(one: Batch, other: Batch) -> bool:
    fields = ("features", "source", "label", "target")
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in fields)


def test_a_source_that_is_in_a_batch_twice_keeps_its_number() -> None:
    # Where one round through the music ends and the next begins, a batch can hold a source twice.
    for step in range(20):
        batch = pairs()[step]
        recordings = (places(batch) // 200).tolist()
        for one, its_number in zip(recordings, batch.source.tolist(), strict=True):
            for other, number in zip(recordings, batch.source.tolist(), strict=True):
                assert (one == other) == (its_number == number)


def test_mixtures_have_a_share_of_a_batch_and_no_number(tmp_path: Path) -> None:
    mixtures = [Source(f"mixtures/{i}", (Path(f"r{i}"),), mixed=True) for i in range(3)]
    plan = replace(PLAN, arrangement_share=0.25, mixture_share=0.5)
    assert plan.counts == (1, 1, 2)
    made = Pairs(
        Pools(RECORDINGS, GROUPS, mixtures),
        labels={},
        cache=CACHE,
        prepare=ViewMaker(None, nn.Identity()),
        plan=plan,
    )
    sources = [source.key for step in range(3) for source in choose(step, made.pools, plan)[2:]]
    assert sorted(sources[:3]) == sorted(source.key for source in mixtures)
    batch = made[0]
    assert (batch.source == NOT_CONTRASTED).tolist() == 2 * [False, False, True, True]
    # What is drawn of the other pools is what would be drawn without mixtures.
    without = replace(plan, batch=2, mixture_share=0, arrangement_share=0.5)
    for step in range(3):
        assert choose(step, made.pools, plan)[:2] == choose(step, made.pools, without)


def test_a_batch_holds_two_views_of_each_source() -> None:
    batch = pairs()[0]
    assert batch.features.shape == (8, C)
    assert batch.features.dtype == torch.float32
    assert batch.source[:4].tolist() == batch.source[4:].tolist()
    assert len(set(batch.source.tolist())) == 4
    recording, start = places(batch) // 200, places(batch) % 200
    assert recording[:4].tolist() == recording[4:].tolist()
    assert len(set(recording.tolist())) == 4
    assert bool((start <= 100 - C).all())
    assert start[:4].tolist() != start[4:].tolist()
    assert batch.label.tolist() == [{0: 0, 1: 1, 2: 2, 3: -1}[int(r) // 2] for r in recording]
    assert batch.target.shape == (8, 0)


def test_a_step_is_the_same_whatever_was_drawn_before() -> None:
    chain = Chain.from_settings({"gain": {"probability": 0.5}}, sample_rate=1, length=C)
    forwards = pairs(chain=chain)
    drawn = [forwards[step] for step in range(4)]
    assert same(pairs(chain=chain)[3], drawn[3])
    assert not same(drawn[2], drawn[3])
    assert not same(pairs(replace(PLAN, seed=4), chain=chain)[3], drawn[3])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_prepare_the_same_batches() -> None:
    alone = [pairs()[step] for step in range(2, 5)]
    loader = DataLoader(pairs(), sampler=range(2, 5), batch_size=None, num_workers=2)
    assert all(same(one, other) for one, other in zip(alone, loader, strict=True))


def test_every_source_is_heard_once_a_round() -> None:
    heard = [s.key for step in range(7) for s in choose(step, Pools(RECORDINGS), PLAN)]
    rounds = [heard[i : i + 7] for i in range(0, 28, 7)]
    everything = sorted(source.key for source in RECORDINGS)
    assert [sorted(each) for each in rounds] == [everything] * 4
    assert len({tuple(each) for each in rounds}) == 4  # in an order of its own


def test_arrangements_take_their_share_of_every_batch() -> None:
    plan = replace(PLAN, arrangement_share=0.5)
    for step in range(6):
        keys = [source.key for source in choose(step, Pools(RECORDINGS, GROUPS), plan)]
        assert [key[0] for key in keys] == ["r", "r", "g", "g"]


def test_views_of_an_arrangement_are_the_same_place_in_two_versions() -> None:
    seen = set()
    both = pairs(replace(PLAN, batch=5, arrangement_share=1.0))
    for step in range(6):
        batch = both[step]
        for first, second in zip(
            places(batch)[:5].tolist(), places(batch)[5:].tolist(), strict=True
        ):
            numbers = first // 200 - len(RECORDINGS), second // 200 - len(RECORDINGS)
            assert numbers[0] // 3 == numbers[1] // 3  # one group
            versions = numbers[0] % 3, numbers[1] % 3
            assert versions[0] != versions[1]
            seen.add(versions)
            # Version v has 50 (1 + v) samples, so 10 + 50 v is the last place a clip may start.
            shares = [
                (place % 200) / (10 + 50 * version)
                for place, version in zip((first, second), versions, strict=True)
            ]
            assert shares[0] == pytest.approx(shares[1], abs=1 / 10)
    assert len(seen) == 6  # all versions, in both orders


def test_one_clip_may_serve_both_views() -> None:
    batch = pairs(replace(PLAN, same_clip=True))[1]
    assert torch.equal(batch.features[:4], batch.features[4:])


def test_a_recording_shorter_than_a_clip_is_repeated() -> None:
    source = Source("g0", (Path("g0a"),))
    clips = read_clips(CACHE, [Clip(source, 0, 0, 50)], replace(PLAN, clip=70))
    row = (clips[0] * 32767).round().long() - 200 * len(RECORDINGS)
    assert row.tolist() == [*range(50), *range(20)]
    batch = pairs(replace(PLAN, clip=150))[0]
    assert batch.features.shape == (8, 150)
    assert bool((places(batch) % 200 == 0).all())


def test_processes_share_the_joint_batch_between_them() -> None:
    plan = replace(PLAN, arrangement_share=0.5)
    joint = pairs(plan)[2]
    shares = [pairs(replace(plan, rank=rank, world=2))[2] for rank in (0, 1)]
    for rank, share in enumerate(shares):
        mine = [rank, rank + 2, rank + 4, rank + 6]
        assert torch.equal(share.features, joint.features[mine])
        assert torch.equal(share.source, joint.source[mine])
        assert torch.equal(share.label, joint.label[mine])


def test_processes_augment_each_in_their_own_way() -> None:
    chain = Chain.from_settings({"gain": {"probability": 1.0}}, sample_rate=1, length=C)
    one_source = [RECORDINGS[0]] * 2  # the same sound in both processes
    levels = []
    for rank in (0, 1):
        plan = replace(PLAN, batch=2, clip=100, rank=rank, world=2)
        prepare = ViewMaker(chain, nn.Identity())
        each = Pairs(Pools(one_source), labels={}, cache=CACHE, prepare=prepare, plan=plan)
        levels.append(each[0].features.square().mean(dim=1).tolist())
    assert len({*levels[0], *levels[1]}) == 4


def test_the_teacher_is_asked_about_the_clips_that_are_heard() -> None:
    batch = pairs(target_of=lambda clip: np.array([clip.start, clip.end], np.float32))[0]
    assert batch.target[:, 0].long().tolist() == (places(batch) % 200).tolist()
    assert torch.equal(batch.target[:, 1] - batch.target[:, 0], torch.full((8,), float(C)))


def test_features_are_those_of_the_front_end_and_carry_no_gradient() -> None:
    front_end = nn.Linear(C, 3)
    batch = pairs(prepare=ViewMaker(None, front_end))[0]
    assert batch.features.shape == (8, 3)
    assert not batch.features.requires_grad


def test_a_batch_moves_as_a_whole() -> None:
    moved = pairs()[0].to(torch.device("meta"))
    assert {getattr(moved, name).device.type for name in moved.__slots__} == {"meta"}
    assert len(pairs()) == PLAN.steps
