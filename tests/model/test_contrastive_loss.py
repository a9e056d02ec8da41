from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reference import nt_xent as twin
from soundalike.model.contrastive_loss import gather, nt_xent


def _views(rng: np.random.Generator, *counts: int, P: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Random projections, `counts` views of each track, shuffled."""
    track = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    return rng.standard_normal((len(track), P)) * 3, track


@pytest.mark.parametrize("temperature", [0.07, 0.5, 2.0])
def test_two_views_are_algorithm_1_of_simclr(temperature: float) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((2, 6, 4))
    z = torch.from_numpy(np.concatenate([first, second]))
    loss = nt_xent(z, torch.arange(6).repeat(2), temperature=temperature)
    assert float(loss) == pytest.approx(twin.simclr(first, second, temperature), abs=1e-12)


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("counts", [(2, 2, 2), (4, 4), (3, 1, 2, 5)])
def test_any_number_of_views_equals_the_double_loop(
    counts: tuple[int, ...], decoupled: bool
) -> None:
    z, track = _views(np.random.default_rng(2), *counts)
    expected = twin.nt_xent(z, track, 0.2, decoupled=decoupled)
    loss = nt_xent(
        torch.from_numpy(z), torch.from_numpy(track), temperature=0.2, decoupled=decoupled
    )
    assert float(loss) == pytest.approx(expected, abs=1e-12)


def test_a_view_of_the_same_track_never_counts_against_another() -> None:
    # Track 0 lies in the first three axes, track 1 in the last three: every negative has cosine 0,
    # so the loss has a closed form in the cosines within each track. One more negative would show.
    track = torch.tensor([0, 0, 0, 1, 1, 1])
    z = torch.zeros(6, 6, dtype=torch.float64)
    z[:3, :3] = torch.tensor([[1, 0, 0], [0.6, 0.8, 0], [0, 0.6, 0.8]], dtype=torch.float64)
    z[3:, 3:] = z[:3, :3]
    cosines = [0.6, 0.0, 0.48]
    expected = np.mean([math.log(math.exp(c / 0.5) + 3) - c / 0.5 for c in cosines])
    assert float(nt_xent(z, track, temperature=0.5)) == pytest.approx(expected, abs=1e-12)


def test_perfect_alignment_scores_below_chance() -> None:
    track = torch.arange(8).repeat(2)
    chance = nt_xent(torch.randn(16, 8, generator=torch.Generator().manual_seed(0)), track)
    perfect = nt_xent(torch.eye(8).repeat(2, 1), track)
    assert float(perfect) < float(chance)
    # All else being orthogonal: -log(e^2 / (e^2 + 14)).
    assert float(perfect) == pytest.approx(math.log(math.exp(2) + 14) - 2, abs=1e-6)


def test_length_and_order_of_the_projections_do_not_matter() -> None:
    z, track = map(torch.from_numpy, _views(np.random.default_rng(3), 2, 3, 2))
    loss = nt_xent(z, track)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(nt_xent(z[order], track[order]), loss)
    assert torch.allclose(nt_xent(z * torch.rand(7, 1, dtype=z.dtype).add(0.1), track), loss)


@pytest.mark.parametrize("decoupled", [False, True])
def test_gradient_is_that_of_finite_differences(decoupled: bool) -> None:
    z, track = map(torch.from_numpy, _views(np.random.default_rng(4), 2, 3))
    assert torch.autograd.gradcheck(
        lambda z: nt_xent(z, track, temperature=0.3, decoupled=decoupled), z.requires_grad_()
    )


def test_half_precision_is_computed_in_single() -> None:
    z, track = map(torch.from_numpy, _views(np.random.default_rng(5), 2, 2, 2))
    z = z.bfloat16()
    assert nt_xent(z, track).dtype == torch.float32
    assert torch.equal(nt_xent(z, track), nt_xent(z.float(), track))


@pytest.mark.parametrize(
    ("z", "track", "temperature", "message"),
    [
        (torch.ones(4, 2), torch.tensor([0, 0, 1, 1]), 0.0, "temperature=0.0"),
        (torch.ones(4, 2), torch.tensor([0, 0, 1]), 0.5, r"\[4, 2\] and track \[3\]"),
        (torch.ones(4), torch.tensor([0, 0, 1, 1]), 0.5, r"z \[4\]"),
        (torch.ones(4, 2), torch.arange(4), 0.5, "no two views"),
    ],
)
def test_impossible_batches_are_refused(
    z: torch.Tensor, track: torch.Tensor, temperature: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nt_xent(z, track, temperature=temperature)


def test_one_process_gathers_its_own_rows() -> None:
    local = torch.ones(3, 2)
    assert gather(local) is local


def test_two_processes_have_the_gradient_of_one_with_the_joint_batch(tmp_path: Path) -> None:
    joint = _network()
    h, track = _joint_batch()
    nt_xent(joint(h), track, temperature=0.2).backward()
    torch.multiprocessing.spawn(_process, (tmp_path,), nprocs=2)
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        for gradient, parameter in zip(found, joint.parameters(), strict=True):
            assert torch.allclose(gradient, parameter.grad, atol=1e-10)


def _network() -> nn.Module:
    torch.manual_seed(6)
    return nn.Linear(4, 3).double()


def _joint_batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Tracks 0 and 1 belong to the first process, 2 and 3 to the second; two views each."""
    h = torch.randn(8, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    return h, torch.tensor([0, 1, 0, 1, 2, 3, 2, 3])


def _process(rank: int, folder: Path) -> None:
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    network = nn.parallel.DistributedDataParallel(_network())
    h, track = (part[4 * rank : 4 * rank + 4] for part in _joint_batch())
    nt_xent(gather(network(h)), gather(track), temperature=0.2).backward()
    torch.save([parameter.grad for parameter in network.parameters()], folder / f"{rank}.pt")
    torch.distributed.destroy_process_group()
