from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from library.small_snapshot import snapshot_of
from soundalike.library.library import Library
from soundalike.server.subsonic.catalog import Catalog, Catalogs, artist_id


def catalog_of(*rows: dict[str, Any], folders: tuple[str, ...] = ("/m",)) -> Catalog:
    snapshot = snapshot_of([{"vector": [1.0], **row} for row in rows])
    more = pa.array([row.get("more", "") for row in rows], pa.string())
    facts = snapshot.facts
    if "more" not in facts.column_names:
        facts = facts.append_column("more", more)
    object.__setattr__(snapshot, "facts", facts)
    return Catalog(snapshot, [Path(folder) for folder in folders])


def test_nothing_is_a_catalog_too() -> None:
    empty = Catalog(None, [])
    assert (len(empty), empty.artists, empty.albums, empty.genres) == (0, [], [], {})
    assert (empty.rows(), empty.row("x"), empty.facts([], ["id"])) == ([], None, [])


def test_spellings_of_a_name_are_one_artist() -> None:
    catalog = catalog_of({"artist": "BEYONCE"}, {"artist": "Beyoncé"}, {"artist": "Beyoncé"})
    (artist,) = catalog.artists
    assert artist.name == "Beyoncé"
    assert artist.id == artist_id("beyonce")
    assert catalog.artist_named("beyoncé") is artist


def test_ids_come_from_names_alone() -> None:
    one = catalog_of({"artist": "A", "album": "X"}, {"artist": "B", "album": "Y"})
    other = catalog_of({"artist": "B", "album": "Y"}, {"artist": "a", "album": "x"})
    assert {album.id for album in one.albums} == {album.id for album in other.albums}
    assert set(one.artist) == set(other.artist)
    assert len(set(one.album)) == 2


def test_an_artist_has_his_albums_and_those_he_plays_on() -> None:
    catalog = catalog_of(
        {"artist": "Ann", "album": "Own", "year": 2000},
        {"artist": "Ann", "album": "Many", "album_artist": "Various", "year": 1990},
        {"artist": "Bob", "album": "Many", "album_artist": "Various", "year": 1990},
    )
    albums = {artist.name: [a.name for a in artist.albums] for artist in catalog.artists}
    assert albums == {"Ann": ["Many", "Own"], "Bob": ["Many"], "Various": ["Many"]}
    (many,) = (album for album in catalog.albums if album.name == "Many")
    assert many.artist.name == "Various"


def test_tracks_without_names_belong_to_somebody() -> None:
    catalog = catalog_of({"title": "x"}, {"artist": "Ann"}, {"artist": "ANN"})
    assert [(a.name, a.artist.name, a.rows) for a in catalog.albums] == [
        ("[Unknown Album]", "[Unknown Artist]", [0]),
        ("[Unknown Album]", "Ann", [1, 2]),
    ]


def test_albums_of_one_name_without_artist_are_told_by_their_folders() -> None:
    catalog = catalog_of(
        {"album": "Best", "path": "/m/a/1.flac"}, {"album": "Best", "path": "/m/b/1.flac"}
    )
    assert len(catalog.albums) == len(catalog.album) == 2


def test_songs_of_an_album_are_by_disc_number_and_path() -> None:
    album = {"artist": "A", "album": "X"}
    catalog = catalog_of(
        {**album, "track_number": 1, "more": '{"disc": "2/2"}'},
        {**album},
        {**album, "track_number": 2},
        {**album, "track_number": 1, "more": '{"disc": "1"}'},
        {**album, "track_number": 10, "more": '{"disc": "side A"}'},
    )
    assert catalog.albums[0].rows == [3, 2, 4, 1, 0]


def test_an_album_sums_up_its_songs() -> None:
    old = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    album = {"artist": "A", "album": "X"}
    catalog = catalog_of(
        {**album, "year": 2001, "genre": "Pop", "duration": 10.0},
        {**album, "year": 1999, "genre": "Rock", "duration": 20.5, "added_at": old},
        {**album, "genre": "Rock"},
    )
    (found,) = catalog.albums
    assert (found.year, found.genre, found.duration, found.created) == (1999, "Rock", 230.5, old)


def test_articles_do_not_count_in_the_order() -> None:
    names = ("The Zoo", "An Apple", "Theremin", "Die Ärzte")
    catalog = catalog_of(*({"artist": name} for name in names))
    assert [artist.name for artist in catalog.artists] == [
        *("An Apple", "Die Ärzte", "Theremin", "The Zoo")
    ]


def test_spellings_of_a_genre_are_one() -> None:
    catalog = catalog_of({"genre": "pop"}, {"genre": "Pop"}, {"genre": "Pop", "album": "X"}, {})
    (genre,) = catalog.genres.values()
    assert (genre.name, genre.rows, genre.albums) == ("Pop", [0, 1, 2], 2)


def test_a_track_is_in_the_innermost_folder() -> None:
    paths = ("/m/a.flac", "/m/new/b.flac", "/m/newer/c.flac", "/other/d.flac")
    rows = ({"path": path, "artist": path} for path in paths)
    catalog = catalog_of(*rows, folders=("/m/new", "/m", "/x"))
    assert catalog.folder_of_row.tolist() == [2, 1, 2, 0]
    assert catalog.rows(2) == [0, 2]
    assert [artist.folders for artist in catalog.artists] == [{2}, {1}, {2}, {0}]


def test_a_catalog_is_made_once_per_snapshot(kept: Library) -> None:
    catalogs = Catalogs(kept)
    first = catalogs.current()
    assert catalogs.current() is first
    kept._opened._snapshot = None
    assert catalogs.current() is not first


def test_a_hundred_thousand_tracks_take_seconds_not_minutes() -> None:
    """Not a measurement: what grows with the square would take hours."""
    random = np.random.default_rng(0)
    N = 100_000
    albums = random.integers(0, 9000, N)
    facts = {
        "path": [f"/m/{i:06}.flac" for i in range(N)],
        "artist": [f"Artist {i % 5000}" for i in albums],
        "album": [f"Album {i}" for i in albums],
        "album_artist": [""] * N,
        "genre": [f"Genre {i}" for i in random.integers(0, 300, N)],
        "more": [""] * N,
    }
    small = snapshot_of([{"vector": [1.0]}])
    table = pa.table(
        {
            **{name: pa.array(values, pa.string()) for name, values in facts.items()},
            "duration": pa.array(random.uniform(60, 400, N)),
            "year": pa.array([2000] * N, pa.int32()),
            "track_number": pa.array(random.integers(1, 20, N).astype(np.int32)),
            "added_at": pa.array([datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * N),
        }
    )
    object.__setattr__(small, "facts", table)
    catalog = Catalog(small, [Path("/m")])
    assert sum(len(album.rows) for album in catalog.albums) == N
