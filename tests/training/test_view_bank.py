"""Banks of views: complete whatever happened before, the same for the same recipe, drawn from fairly."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from platform import node

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from soundalike.errors import RecipeError
from soundalike.training import view_bank
from soundalike.training.pairs import NOT_CONTRASTED, Plan, Pools, ViewMaker
from soundalike.training.sources import Source, WaveformCache
from soundalike.training.view_bank import BankedPairs, ViewBank, bank_folder

C, V = 30, 4
PLAN = Plan(batch=3, steps=10, seed=5, clip=C)
RECORDINGS = [Source(f"r{i}", (Path(f"r{i}"),), artist=f"a{i}") for i in range(5)]
GROUPS = [Source(f"g{i}", (Path(f"g{i}a"), Path(f"g{i}b"))) for i in range(3)]


class Sounds(WaveformCache):
    """Noise, another for every name; version b of a piece is twice as long as version a."""

    def __init__(self, salt: int = 0) -> None:
        super().__init__("", 1)
        self.salt = salt

    def waveform(self, path: Path) -> np.ndarray:
        rng = np.random.default_rng([self.salt, *path.name.encode()])
        length = 200 if path.name.endswith("b") else 100
        return rng.integers(-9_999, 9_999, size=length, dtype=np.int16)


class Dither:
    """Stands in for the chain: changes every view at random, by the generator it is given."""

    def __call__(self, clips: Tensor, generator: torch.Generator) -> Tensor:
        return clips + 0.01 * torch.rand(clips.shape, generator=generator)


def bank(folder: Path, sources: list[Source] = RECORDINGS, **changes: object) -> ViewBank:
    settings = {
        "cache": Sounds(),
        "prepare": ViewMaker(Dither(), nn.Identity()),  # type: ignore[arg-type]
        "plan": PLAN,
        "views": V,
        "folder": folder,
    }
    return ViewBank(sources, **{**settings, **changes})  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_view_is_the_sound_of_its_place(tmp_path: Path) -> None:
    made = bank(tmp_path, prepare=ViewMaker(None, nn.Identity()))
    made.fill(workers=0)
    for source in RECORDINGS:
        starts = set()
        for slot in range(V):
            place = made.place(source, 0, slot)
            sound = Sounds().waveform(source.recordings[0])[place.start : place.end] / 32767
            np.testing.assert_allclose(made.view(source, 0, slot), sound, atol=1e-3)
            starts.add(place.start)
        assert len(starts) > 1  # each view is from a place of its own


def test_every_slot_is_augmented_in_its_own_way(tmp_path: Path) -> None:
    whole = replace(
        PLAN, clip=200
    )  # longer than the recordings: every view is from their beginning
    made = bank(tmp_path, plan=whole)
    made.fill(workers=0)
    views = [made.view(RECORDINGS[0], 0, slot) for slot in range(V)]
    for one in range(V):
        for other in range(one):
            assert np.abs(views[one] - views[other]).mean() > 0.001


def test_a_bank_cut_short_is_completed_to_the_same_bytes(tmp_path: Path) -> None:
    bank(tmp_path / "whole").fill(workers=0)

    class Killed(Exception):
        pass

    class Dies:
        views = 0

        def __call__(self, clips: Tensor, generator: torch.Generator) -> Tensor:
            self.views += 1
            if self.views > 2:
                raise Killed
            return Dither()(clips, generator)

    with pytest.raises(Killed):
        bank(tmp_path / "cut", prepare=ViewMaker(Dies(), nn.Identity())).fill(workers=0)  # type: ignore[arg-type]
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "cut" / f"0003.partial-{node()}-{gone.pid}.npy").write_bytes(b"half a file")
    alive = tmp_path / "cut" / f"0002.partial-{node()}-{os.getppid()}.npy"
    alive.write_bytes(b"another process is at it")
    assert sorted(path.name for path in (tmp_path / "cut").glob("????.npy")) == [
        "0000.npy",
        "0001.npy",
    ]
    told: list[tuple[int, int]] = []
    bank(tmp_path / "cut").fill(workers=0, report=lambda *done: told.append(done))
    assert told == [(2, V), (3, V), (V, V)]
    assert alive.exists()
    alive.unlink()
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_workers_make_the_same_bank(tmp_path: Path) -> None:
    bank(tmp_path / "alone").fill(workers=0)
    bank(tmp_path / "shared").fill(workers=2)
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def test_a_bank_grows_without_making_again_what_is_there(tmp_path: Path) -> None:
    bank(tmp_path).fill(workers=0)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npy")}
    bank(tmp_path, views=V + 2).fill(workers=0)
    assert len(list(tmp_path.glob("*.npy"))) == V + 2
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_processes_of_one_run_make_the_bank_together(tmp_path: Path) -> None:
    first, second = (bank(tmp_path, plan=replace(PLAN, rank=rank, world=2)) for rank in (0, 1))
    made = []

    def watch(*_: int) -> None:
        made.append({path.stem for path in tmp_path.glob("????.npy")})
        if len(made) == 3:  # the other process does its share, and finds the first one's there
            second.fill(workers=0)
            stamps.update((path, path.stat().st_mtime_ns) for path in tmp_path.glob("????.npy"))

    stamps: dict[Path, int] = {}
    first.fill(workers=0, report=watch)
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert made[:3] == [set(), {"0000"}, {"0000", "0002"}]
    assert made[3:] == [{"0000", "0001", "0002", "0003"}] * 2
    assert not list(tmp_path.glob("*.partial*"))
    bank(tmp_path / "alone").fill(workers=0)
    alone = contents(tmp_path / "alone")
    assert all((tmp_path / name).read_bytes() == alone[name] for name in alone)


def test_other_music_under_the_same_names_is_refused(tmp_path: Path) -> None:
    bank(tmp_path).fill(workers=0)
    with pytest.raises(RecipeError, match="views of other recordings of the same names; delete it"):
        bank(tmp_path, cache=Sounds(salt=1)).fill(workers=0)
    bank(tmp_path).fill(workers=0)


def test_versions_of_a_piece_are_viewed_at_the_same_share_of_it(tmp_path: Path) -> None:
    made = bank(tmp_path, GROUPS)
    for group in GROUPS:
        for slot in range(V):
            short, long = (made.place(group, version, slot).start for version in (0, 1))
            assert short / (100 - C) == pytest.approx(long / (200 - C), abs=1 / (100 - C))


def test_rows_fill_groups_of_a_fixed_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_bank, "ROWS_AT_ONCE", 2)
    sizes = []

    class Counts:
        def __call__(self, clips: Tensor, generator: torch.Generator) -> Tensor:
            sizes.append(len(clips))
            return clips

    made = bank(tmp_path, views=1, prepare=ViewMaker(Counts(), nn.Identity()))  # type: ignore[arg-type]
    made.fill(workers=0)
    assert sizes == [2, 2, 1]
    np.testing.assert_allclose(
        made.view(RECORDINGS[4], 0, 0)[0],
        Sounds().waveform(Path("r4"))[made.place(RECORDINGS[4], 0, 0).start] / 32767,
        atol=1e-3,
    )


# Batches out of banks


@pytest.fixture
def banks(tmp_path: Path) -> tuple[ViewBank, ...]:
    made = (
        bank(tmp_path / "recordings"),
        bank(tmp_path / "groups", GROUPS, views=2),
        bank(tmp_path / "mixtures", [], views=0),
    )
    for each in made:
        each.fill(workers=0)
    return made


def banked(banks: tuple[ViewBank, ...], plan: Plan) -> BankedPairs:
    return BankedPairs(
        Pools(RECORDINGS, GROUPS),
        banks,
        labels={"a1": 7},
        plan=plan,
        target_of=lambda clip: np.array([clip.start, clip.version], np.float32),
    )


def test_two_views_of_a_recording_are_two_slots(banks: tuple[ViewBank, ...]) -> None:
    pairs = banked(banks, PLAN)
    for step in range(PLAN.steps):
        batch = pairs[step]
        assert batch.features.shape == (6, C)
        assert batch.source[:3].tolist() == batch.source[3:].tolist()
        for first, second in zip(batch.features[:3], batch.features[3:], strict=True):
            found = [
                (source.key, slot)
                for row in (first, second)
                for source in RECORDINGS
                for slot in range(V)
                if np.array_equal(banks[0].view(source, 0, slot), row.half().numpy())
            ]
            assert len(found) == 2
            assert found[0][0] == found[1][0]
            assert found[0][1] != found[1][1]
    assert len(pairs) == PLAN.steps


def test_two_views_of_an_arrangement_are_one_slot_of_two_versions(
    banks: tuple[ViewBank, ...],
) -> None:
    pairs = banked(banks, replace(PLAN, arrangement_share=1.0))
    for step in range(PLAN.steps):
        start, version = pairs[step].target.T
        assert bool((version[:3] != version[3:]).all())
        share = start / torch.where(version == 1, 200 - C, 100 - C)
        torch.testing.assert_close(share[:3], share[3:], atol=1 / (100 - C), rtol=0)


def test_a_step_is_drawn_from_the_step_alone_and_shared_by_processes(
    banks: tuple[ViewBank, ...],
) -> None:
    plan = replace(PLAN, batch=4, arrangement_share=0.5)
    pairs = banked(banks, plan)
    joint = [pairs[step] for step in range(4)][3]
    assert torch.equal(banked(banks, plan)[3].features, joint.features)
    assert not torch.equal(pairs[2].features, joint.features)
    for rank in (0, 1):
        share = banked(banks, replace(plan, rank=rank, world=2))[3]
        mine = [rank, rank + 2, rank + 4, rank + 6]
        assert torch.equal(share.features, joint.features[mine])
        assert torch.equal(share.target, joint.target[mine])
        assert torch.equal(share.label, joint.label[mine])


def test_a_mixture_has_a_bank_of_its_own(tmp_path: Path) -> None:
    mixtures = [Source(f"mixtures/{i}", (Path(f"r{i}"),), mixed=True) for i in range(2)]
    made = (
        bank(tmp_path / "recordings"),
        bank(tmp_path / "none", [], views=0),
        bank(tmp_path / "mixtures", mixtures),
    )
    for each in made:
        each.fill(workers=0)
    pairs = BankedPairs(
        Pools(RECORDINGS, [], mixtures), made, labels={}, plan=replace(PLAN, mixture_share=0.67)
    )
    batch = pairs[0]
    assert batch.source[1:3].tolist() == [NOT_CONTRASTED] * 2
    for row in (1, 2, 4, 5):
        views = [made[2].view(source, 0, slot) for source in mixtures for slot in range(V)]
        assert any(np.array_equal(batch.features[row].half().numpy(), view) for view in views)


def test_a_folder_is_named_after_what_its_views_depend_on(tmp_path: Path) -> None:
    one = bank_folder(tmp_path, [{"a": 1, "b": 2.0}, "key"])
    assert one == bank_folder(tmp_path, [{"b": 2.0, "a": 1}, "key"])
    assert one != bank_folder(tmp_path, [{"a": 1, "b": 2.5}, "key"])
    assert one.parent == tmp_path
