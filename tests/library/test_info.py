from __future__ import annotations

from pathlib import Path

from stand_in import StandIn, new_library, write_sounds

from soundalike.library.choice import Filters
from soundalike.library.library import Library


def test_a_library_in_numbers(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for i, (artist, album) in enumerate([("A", "X"), ("A", "X"), ("B", "X"), ("", "")]):
        write_sounds(one / f"{i}.mp3", f"{i}", artist=artist, album=album)
    write_sounds(two / "4.mp3", "four", artist="C", album_artist="A", album="X")
    write_sounds(two / "bad.mp3", "broken")
    write_sounds(two / "long.mp3", "long", seconds="5000")
    library, embedder = new_library(tmp_path / "lib")
    library.index([one, two])
    library.index(two, filters=Filters(max_duration=3600, exclude=("x",)))
    library.remove(one / "3.mp3")
    other = StandIn(name="other", version=2)
    Library(library.path, embedder=other).index()  # type: ignore[arg-type]
    info = Library(library.path, embedder=embedder).info()  # type: ignore[arg-type]
    assert (info.tracks, info.artists, info.albums) == (4, 3, 2)
    assert info.seconds == 4 * 90
    assert [(root.path, root.tracks, root.reachable) for root in info.roots] == [
        (one, 3, True),
        (two, 1, True),
    ]
    assert info.roots[1].filters == Filters(exclude=("x",), max_duration=3600)
    assert info.removed == (one / "3.mp3",)
    assert (info.failures, info.left_out) == (1, 1)
    answering = [(each.identity, each.tracks, each.answers) for each in info.encoders]
    assert answering == [(other.identity, 4, True), (embedder.identity, 4, False)]
    assert all(each.indexed and not each.behind for each in info.encoders)
    on_disk = sum(p.stat().st_size for p in library.path.rglob("*") if p.is_file())
    assert sum(info.disk.values()) == on_disk
    assert info.bytes_per_track == on_disk / 4
    assert info.disk["tables"] > 0 < info.disk["snapshots"]


def test_artists_and_albums_are_counted_as_they_are_listed(tmp_path: Path) -> None:
    spellings = [
        ("Beyoncé", "Déjà Vu"),
        ("BEYONCE", "deja vu"),
        ("beyonce ", "Deja  Vu"),
        ("X", ""),
    ]
    for i, (artist, album) in enumerate(spellings):
        write_sounds(tmp_path / f"music/{i}.mp3", f"{i}", artist=artist, album=album)
    library, _ = new_library(tmp_path / "lib")
    library.index(tmp_path / "music")
    info = library.info()
    assert (info.artists, info.albums) == (2, 1)
    assert (info.artists, info.albums) == (len(library.artists()), len(library.albums()))


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    info = Library(tmp_path / "lib").info()
    assert (info.tracks, info.roots, info.encoders, info.bytes_per_track) == (0, (), (), 0.0)
    assert not (tmp_path / "lib").exists()
