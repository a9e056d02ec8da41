"""What the values of options mean."""

from __future__ import annotations

import pytest

from soundalike.cli.options import seconds


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90.0), ("1:30", 90.0), ("1:02:03", 3723.0), ("0:00.5", 0.5)]
)
def test_times_are_written_as_people_write_them(text: str, expected: float) -> None:
    assert seconds(text, "--from") == expected
