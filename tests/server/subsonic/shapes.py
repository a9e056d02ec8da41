# ruff: noqa: N815 - these are their names
"""What OpenSubsonic says of the shapes, as far as they are answered here; nothing else may be in them.

The same models read JSON and XML: `from_xml` takes an element apart by the fields of a model.
"""

from __future__ import annotations

import typing
from typing import Any, Literal
from xml.etree import ElementTree

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAMESPACE = "{http://subsonic.org/restapi}"
Id = typing.Annotated[str, Field(min_length=1)]
Time = typing.Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")]


def _one_of(*values: object) -> AfterValidator:
    def check(value: object) -> object:
        assert value in values, f"{value!r} is none of {values}"
        return value

    return AfterValidator(check)


Yes, No = typing.Annotated[bool, _one_of(True)], typing.Annotated[bool, _one_of(False)]
Code = typing.Annotated[int, _one_of(0, 10, 20, 30, 40, 41, 42, 43, 44, 50, 60, 70)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Name(Shape):
    id: Id
    name: str


class ItemGenre(Shape):
    name: str


class Media(Shape):
    id: Id
    title: str
    parent: str | None = None
    album: str | None = None
    artist: str | None = None
    coverArt: str | None = None
    year: int | None = None
    genre: str | None = None
    duration: int | None = None
    created: Time | None = None
    artistId: str | None = None
    genres: list[ItemGenre] = []
    artists: list[Name] = []
    displayArtist: str | None = None


class Child(Media):
    isDir: No
    albumId: Id
    size: int
    contentType: str
    suffix: str
    path: str
    bitRate: int
    isVideo: No
    type: Literal["music"]
    mediaType: Literal["song"]
    track: int | None = None
    discNumber: int | None = None
    bpm: int | None = None
    albumArtists: list[Name]
    displayAlbumArtist: str


class Directory(Media):
    isDir: Yes
    name: str | None = None
    songCount: int | None = None
    mediaType: Literal["album"] | None = None


class AlbumID3(Shape):
    id: Id
    name: str
    songCount: int
    duration: int
    created: Time
    artist: str
    artistId: Id
    coverArt: str
    year: int | None = None
    genre: str | None = None
    genres: list[ItemGenre] = []
    artists: list[Name]
    displayArtist: str


class AlbumWithSongs(AlbumID3):
    song: list[Child]


class ArtistID3(Name):
    coverArt: str
    albumCount: int
    sortName: str


class ArtistWithAlbums(ArtistID3):
    album: list[AlbumID3]


class Index(Shape):
    name: typing.Annotated[str, Field(min_length=1, max_length=1)]
    artist: list[ArtistID3]


class Artists(Shape):
    ignoredArticles: str
    index: list[Index] = []


class Indexes(Artists):
    lastModified: int


class MusicFolder(Shape):
    id: int
    name: str


class MusicFolders(Shape):
    musicFolder: list[MusicFolder]


class Genre(Shape):
    value: str
    songCount: int
    albumCount: int


class Genres(Shape):
    genre: list[Genre]


class Songs(Shape):
    song: list[Child] = []


class AlbumList(Shape):
    album: list[Directory] = []


class AlbumList2(Shape):
    album: list[AlbumID3] = []


class SearchResult2(Songs):
    artist: list[ArtistID3] = []
    album: list[Directory] = []


class SearchResult3(Songs):
    artist: list[ArtistID3] = []
    album: list[AlbumID3] = []


class Folder(Shape):
    id: Id
    name: str
    parent: str | None = None
    child: list[Child | Directory]


class SonicMatch(Shape):
    entry: Child
    similarity: typing.Annotated[float, Field(ge=-1, le=1)]


class Playlist(Shape):
    id: Id
    name: str
    comment: str
    owner: str
    public: bool
    songCount: int
    duration: int
    created: Time
    changed: Time
    coverArt: str | None = None


class PlaylistWithSongs(Playlist):
    entry: list[Child] = []


class Playlists(Shape):
    playlist: list[Playlist] = []


class Extension(Shape):
    name: str
    versions: list[int]


class License(Shape):
    valid: bool


class ScanStatus(Shape):
    scanning: bool
    count: int


class ArtistInfo(Shape):
    similarArtist: list[ArtistID3] = []


class Error(Shape):
    code: Code
    message: str


class Response(Shape):
    status: Literal["ok", "failed"]
    version: Literal["1.16.1"]
    type: Literal["soundalike"]
    serverVersion: str
    openSubsonic: Yes
    error: Error | None = None
    license: License | None = None
    openSubsonicExtensions: list[Extension] = []
    musicFolders: MusicFolders | None = None
    indexes: Indexes | None = None
    artists: Artists | None = None
    artist: ArtistWithAlbums | None = None
    album: AlbumWithSongs | None = None
    song: Child | None = None
    directory: Folder | None = None
    genres: Genres | None = None
    artistInfo: ArtistInfo | None = None
    artistInfo2: ArtistInfo | None = None
    albumList: AlbumList | None = None
    albumList2: AlbumList2 | None = None
    randomSongs: Songs | None = None
    songsByGenre: Songs | None = None
    searchResult2: SearchResult2 | None = None
    searchResult3: SearchResult3 | None = None
    similarSongs: Songs | None = None
    similarSongs2: Songs | None = None
    topSongs: Songs | None = None
    sonicMatch: list[SonicMatch] = []
    playlists: Playlists | None = None
    playlist: PlaylistWithSongs | None = None
    scanStatus: ScanStatus | None = None


def from_json(response: dict[str, Any]) -> Response:
    """A response in JSON, held against the shapes; types must be right."""
    return Response.model_validate(response, strict=True)


def from_xml(text: bytes) -> Response:
    """A response in XML, held against the shapes."""
    root = ElementTree.fromstring(text)
    assert root.tag == f"{NAMESPACE}subsonic-response"
    return Response.model_validate(_taken_apart(root, Response))


def _taken_apart(element: ElementTree.Element, model: type[BaseModel]) -> dict[str, Any]:
    """Attributes and elements of an element as the fields of a model."""
    found: dict[str, Any] = dict(element.attrib)
    if element.text is not None:
        found["value"] = element.text
    for inside in element:
        name = inside.tag.removeprefix(NAMESPACE)
        kinds = _models(model.model_fields[name].annotation)
        fit = [kind for kind in kinds if _fits(inside, kind)]
        value = _taken_apart(inside, fit[0]) if fit else inside.text
        if _is_list(model.model_fields[name].annotation):
            found.setdefault(name, []).append(value)
        else:
            assert name not in found, f"{name} twice"
            found[name] = value
    return found


def _fits(element: ElementTree.Element, model: type[BaseModel]) -> bool:
    return len(_models(model)) < 2 and set(element.attrib) <= set(model.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in typing.get_args(annotation) for model in _models(part)]


def _is_list(annotation: Any) -> bool:
    parts = (annotation, *typing.get_args(annotation))
    return any(typing.get_origin(part) is list for part in parts)
