"""Plans for a small band: a piano, a bass, a flute on the piano's channel, drums."""

from __future__ import annotations

import numpy as np
import pytest

from soundalike.scores.orchestration import (
    DRUMS,
    FAMILIES,
    STYLES,
    UNPITCHED,
    Plan,
    Voice,
    draw_plans,
)

PIANO, BASS, FLUTE, KIT = Voice(0, 0), Voice(1, 33), Voice(0, 73), Voice(DRUMS, 0)
VOICES = {PIANO: [60, 64], FLUTE: [79], BASS: [36, 41], KIT: [38, 42]}


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    generators = map(np.random.default_rng, range(60))
    return [plan for rng in generators for plan in draw_plans(VOICES, rng, count=3, soundfonts=2)]


def test_arrangements_of_a_piece_differ_in_style(plans: list[Plan]) -> None:
    for first in range(0, len(plans), 3):
        assert len({plan.style for plan in plans[first : first + 3]}) == 3
    assert {plan.style for plan in plans} == set(STYLES)


def test_plans_stay_within_their_limits(plans: list[Plan]) -> None:
    assert {plan.transposition for plan in plans} == set(range(-5, 6))
    speeds = [plan.speed for plan in plans]
    assert 0.8 <= min(speeds) < 0.85
    assert 1.2 < max(speeds) <= 1.25
    assert {plan.soundfont for plan in plans} == {0, 1}


def test_voices_get_instruments_of_the_style_that_can_carry_them(plans: list[Plan]) -> None:
    for plan in plans:
        assert plan.programs[KIT] == KIT.program
        style = STYLES[plan.style]
        if style.families:
            sounding = {program for family in style.families for program in FAMILIES[family]}
            assert plan.programs[BASS] in style.basses
            assert plan.programs[PIANO] in sounding
        else:
            assert plan.programs[PIANO] == PIANO.program


def test_half_of_the_notes_are_always_played(plans: list[Plan]) -> None:
    assert any(plan.silent for plan in plans)
    notes = sum(map(len, VOICES.values()))
    for plan in plans:
        assert 2 * sum(len(VOICES[voice]) for voice in plan.silent) <= notes


def test_voices_that_shared_an_instrument_sometimes_go_on_sharing_one() -> None:
    hands = {Voice(2, 0): [72], Voice(3, 0): [64]}
    shared = []
    for seed in range(40):
        (plan,) = draw_plans(hands, np.random.default_rng(seed), count=1, soundfonts=1)
        if plan.style != "as written":
            shared.append(len(set(plan.programs.values())) == 1)
    assert any(shared)
    assert not all(shared)


def test_noises_stay_as_written() -> None:
    gunshot = {Voice(4, UNPITCHED[-1]): [60]}
    for seed in range(20):
        (plan,) = draw_plans(gunshot, np.random.default_rng(seed), count=1, soundfonts=1)
        assert plan.programs == {Voice(4, 127): 127}


def test_families_hold_general_midi_programs_that_have_a_pitch() -> None:
    programs = [program for family in FAMILIES.values() for program in family]
    programs += [program for style in STYLES.values() for program in style.basses]
    assert all(0 <= program < UNPITCHED[0] for program in programs)
    assert all(family in FAMILIES for style in STYLES.values() for family in style.families)
