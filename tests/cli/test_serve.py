"""The options of serve: what is refused before anything listens, and what is passed on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shell import Run

from soundalike.server.settings import Settings

TOKEN = "a-token-for-tests"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the server would be started with."""
    given: list[Any] = []

    def run(library: Path, settings: Settings, ready: Any) -> None:
        given.extend([library, settings])
        ready("http://here/")

    monkeypatch.setattr("soundalike.server.running.run", run)
    monkeypatch.delenv("SOUNDALIKE_TOKEN", raising=False)
    return given


def test_by_default_for_this_machine_alone(run: Run, library: Path, started: list[Any]) -> None:
    ran = run("serve", "--library", library)
    assert ran.code == 0
    assert f"5 tracks of {library} at http://here/" in ran.err
    assert started[0] == library
    assert (started[1].host, started[1].token, started[1].cors) == ("127.0.0.1", None, ())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "music.example"])
def test_beyond_it_wants_a_token_or_plain_words(
    run: Run, library: Path, started: list[Any], host: str, tmp_path: Path
) -> None:
    refused = run("serve", "--library", library, "--host", host)
    assert refused.code == 2
    assert "--token-file" in refused.err
    assert not started
    loud = run("serve", "--library", library, "--host", host, "--no-auth")
    assert loud.code == 0
    assert "NO TOKEN" in loud.err
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    safe = run("serve", "--library", library, "--host", host, "--token-file", tmp_path / "token")
    assert safe.code == 0
    assert started[-1].token == TOKEN
    assert TOKEN not in safe.err


def test_the_token_may_come_from_the_environment(
    run: Run, library: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOUNDALIKE_TOKEN", TOKEN)
    assert run("serve", "--library", library, "--host", "0.0.0.0").code == 0
    assert started[1].token == TOKEN


@pytest.mark.parametrize(
    "options",
    [
        ("--token", "short"),
        ("--token", "ein-Schlüssel"),
        ("--token", "two\nlines-of-it"),
        ("--allow-host", "music.example:80"),
        ("--allow-host", "http://music.example"),
        ("--token", TOKEN, "--no-auth"),
        ("--token-file", "none"),
        ("--root-path", "music"),
        ("--root-path", "//evil"),
        ("--cors", "player.example"),
        ("--cors", "https://player.example/page"),
        ("--music", "none"),
        ("--compat", "other"),
        ("--workers", "0"),
        ("--port", "70000"),
    ],
)
def test_what_cannot_be_meant(
    run: Run, library: Path, started: list[Any], options: tuple[str, ...]
) -> None:
    ran = run("serve", "--library", library, *options)
    assert ran.code == 2
    assert not started


def test_options_are_passed_on(run: Run, library: Path, started: list[Any], tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    run(
        *("serve", "--library", library, "--root-path", "/a/", "--cors", "https://b.example/"),
        *("--music", "music", "--workers", "3", "--compat", "audiomuse", "--allow-host", "c"),
        *("--follow-links", "--quiet"),
    )
    settings = started[1]
    assert (settings.root_path, settings.cors) == ("/a", ("https://b.example",))
    assert (settings.music, settings.workers) == ((tmp_path / "music",), 3)
    assert (settings.compat, settings.allowed_hosts) == (("audiomuse",), ("c",))
    assert (settings.follow_links, settings.access_log) == (True, False)


def test_without_a_library_it_says_so(run: Run, tmp_path: Path, started: list[Any]) -> None:
    ran = run("serve", "--library", tmp_path / "none")
    assert ran.code == 2
    assert "there is no library" in ran.err
    assert "soundalike serve --music FOLDER" in ran.err
    (tmp_path / "music").mkdir()
    fresh = run("serve", "--library", tmp_path / "none", "--music", tmp_path / "music")
    assert fresh.code == 0
    assert "0 tracks" in fresh.err
