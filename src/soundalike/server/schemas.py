"""What goes in and out of the JSON API, field by field.

What comes out has the fields of `soundalike ... --json` (`library/fields.py`) and no others. What goes in
has the names of the command line's options; a name that is none of them is an error, for it is a slip.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_ANSWERS = 1000
MOST_TRACKS = 10_000
"""Tracks that may be named in one request."""

Similarity = Annotated[float, Field(ge=0, le=1, description="1 the same, 0 unrelated")]
Id = Annotated[str, Field(description="of a track, 16 hexadecimal digits", max_length=64)]
Ids = Annotated[list[Id], Field(max_length=MOST_TRACKS)]
Text = Annotated[str, Field(max_length=1000)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=MOST_ANSWERS)]


class Error(BaseModel):
    """What went wrong: `kind` for programs, `message` for people."""

    kind: str
    message: str


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: Error


class Track(BaseModel):
    """A track."""

    id: str
    path: str
    title: str
    artist: str
    album: str
    duration: float


class WholeTrack(Track):
    """All there is to say of a track, and where to hear and see it."""

    album_artist: str
    genre: str
    year: int | None
    track_number: int | None
    audio: str
    artwork: str | None


class Tracks(BaseModel):
    """A page of tracks, and how many there are in all."""

    tracks: list[Track]
    total: int


class Found(BaseModel):
    """Tracks found by words; `note` says if none has them all."""

    tracks: list[Track]
    note: str


class Match(BaseModel):
    """Two stretches that sound alike, each [start, end] in seconds."""

    query: tuple[float, float]
    answer: tuple[float, float]
    similarity: Similarity


class Neighbor(BaseModel):
    """An answer; `seed` is the path of the seed it is most like, null of bare vectors."""

    track: Track
    similarity: Similarity
    matches: list[Match]
    versions: list[Track]
    seed: str | None


class Answers(BaseModel):
    """What sounds like the seeds, best first; `note` says what is not among it."""

    answers: list[Neighbor]
    note: str
    seeds: list[Track | None]
    sense: str
    calibrated: bool


class Version(BaseModel):
    """Another version of a track."""

    track: Track
    kind: str
    why: str
    similarity: Similarity


class Versions(BaseModel):
    """Other versions of a track: copies, the same recording, then others."""

    versions: list[Version]


class Duplicate(BaseModel):
    """Files of one recording; `copies` has the ids of those that are the same file again."""

    kind: str
    why: str
    tracks: list[Track]
    copies: list[str]


class Duplicates(BaseModel):
    """All groups of files that are one recording."""

    duplicates: list[Duplicate]


class Words(BaseModel):
    """How often a word stands in the tags."""

    name: str
    tracks: int


class Status(BaseModel):
    """What the server has; to a stranger only version, needs_token and authenticated."""

    version: str
    needs_token: bool
    authenticated: bool
    model: str | None = None
    senses: list[str] = []
    calibrated: bool = False
    aggregations: list[str] = []
    tracks: int = 0
    roots: list[str] = []
    music: list[str] = []
    duration: float = 0.0
    artists: int = 0
    albums: int = 0
    genres: list[Words] = []
    indexing: Job | None = None


class Job(BaseModel):
    """An indexing: how far it has come, and in the end what it did or why it failed."""

    state: Literal["running", "done", "failed", "cancelled"]
    stage: str
    done: int
    total: int
    rate: float
    seconds_left: float | None
    failed: int
    started: float
    report: dict[str, Any] | None = None
    error: str | None = None


class Login(BaseModel):
    """The token, to be exchanged for a cookie."""

    model_config = ConfigDict(extra="forbid")
    token: str = Field(max_length=1000)


class Terms(BaseModel):
    """What may answer, and how tracks are compared; the names are those of `soundalike similar`."""

    model_config = ConfigDict(extra="forbid")
    n: Count = 10
    sense: Text = "both"
    aggregation: Text = "mean"
    filter: Text = Field("", description="such as genre = 'Jazz' AND year < 1970")
    max_per_artist: int | None = Field(None, ge=0, le=MOST_ANSWERS)
    max_per_album: int | None = Field(None, ge=0, le=MOST_ANSWERS)
    exclude_same_artist: bool = False
    exclude_same_album: bool = False
    min_duration: Seconds | None = Field(None, description="of answers, seconds")
    max_duration: Seconds | None = Field(None, description="of answers, seconds")
    raw: bool = Field(False, description="by similarity alone: no limits, every version")
    start: Seconds | None = Field(None, description="compare the seed from here on, seconds")
    end: Seconds | None = Field(None, description="compare the seed up to here, seconds")


class SimilarQuery(Terms):
    """Ask with tracks of the library."""

    id: list[Id] = Field(min_length=1, max_length=100)
    dislike: list[Id] = Field([], max_length=100)


class SimilarBody(Terms):
    """Ask with tracks of the library, or with vectors of its encoder."""

    like: list[Id] = Field([], max_length=1000)
    dislike: list[Id] = Field([], max_length=1000)
    vectors: list[list[float]] = Field(
        [], max_length=100, description="of the segments of one sound, [S, D]"
    )


class UploadTerms(Terms):
    """What may answer to a file that is sent along."""

    dislike: list[Id] = Field([], max_length=100)


class Browse(BaseModel):
    """Which tracks to list."""

    model_config = ConfigDict(extra="forbid")
    artist: Text = ""
    album: Text = ""
    filter: Text = ""
    limit: int = Field(50, ge=1, le=MOST_ANSWERS)
    offset: int = Field(0, ge=0, le=2**31)


class Step(BaseModel):
    """A track on the way, how like the one before it and how like the start."""

    track: Track
    similarity: Similarity
    from_start: Similarity


class Steps(BaseModel):
    """Tracks in an order; `note` says what is missing."""

    steps: list[Step]
    note: str = ""


class PathQuery(BaseModel):
    """From where to where."""

    model_config = ConfigDict(extra="forbid")
    start: Id = Field(alias="from")
    end: Id = Field(alias="to")
    n: int = Field(10, ge=2, le=MOST_ANSWERS, description="tracks in all, both ends included")
    sense: Text = "both"
    filter: Text = ""


class RadioBody(BaseModel):
    """A radio to begin with seeds, or one to go on with as its state says."""

    model_config = ConfigDict(extra="forbid")
    seeds: Ids = []
    drift: float = Field(0.0, ge=0, le=1)
    seed: int = Field(0, ge=0, le=2**62, description="of what is random")
    artist_spacing: int = Field(0, ge=0, le=MOST_TRACKS)
    repeat: bool = False
    filter: Text = ""
    sense: Text = "both"
    state: dict[str, Any] | None = Field(None, description="as the last answer had it")
    n: Count = 10
    like: list[Id] = Field([], max_length=1000)
    dislike: list[Id] = Field([], max_length=1000)


class RadioSteps(Steps):
    """What is played next, and the state from which it goes on; `ended` if nothing is left."""

    state: dict[str, Any]
    ended: bool


class MixBody(BaseModel):
    """Music to make a mix of."""

    model_config = ConfigDict(extra="forbid")
    ids: Ids = Field(min_length=1)
    n: Count = 30
    only_new: bool = False
    sense: Text = "both"
    filter: Text = ""


class SortBody(BaseModel):
    """A playlist to sort; `start` and `end` are those of it that come first and last."""

    model_config = ConfigDict(extra="forbid")
    ids: Ids = Field(min_length=1)
    sense: Text = "both"
    start: Id | None = None
    end: Id | None = None


class PlaylistBody(BaseModel):
    """Tracks to write down; paths are relative to the folder `relative_to`, or whole without it."""

    model_config = ConfigDict(extra="forbid")
    ids: Ids = Field(min_length=1)
    name: str = Field("", max_length=200)
    relative_to: str = Field("", max_length=4096)


class PlaylistQuery(BaseModel):
    """The same in a link."""

    model_config = ConfigDict(extra="forbid")
    id: list[Id] = Field(min_length=1, max_length=MOST_ANSWERS)
    name: str = Field("", max_length=200)
    relative_to: str = Field("", max_length=4096)


class Group(BaseModel):
    """An artist or an album; of an album `artist` is whose."""

    name: str
    artist: str
    tracks: int


class Artists(BaseModel):
    """Artists by name."""

    artists: list[Group]
    total: int


class Albums(BaseModel):
    """Albums by name."""

    albums: list[Group]
    total: int


class TrackPair(BaseModel):
    """Two tracks that speak for two artists or albums being alike."""

    query: Track
    answer: Track
    similarity: Similarity


class GroupNeighbor(Group):
    """An artist or an album that is like another."""

    similarity: Similarity
    pairs: list[TrackPair]


class GroupNeighbors(BaseModel):
    """Artists or albums, the likest first."""

    answers: list[GroupNeighbor]


class GroupQuery(BaseModel):
    """Which artist or album, and what may answer."""

    model_config = ConfigDict(extra="forbid")
    name: Text
    n: Count = 10
    sense: Text = "both"
    filter: Text = ""


class AlbumQuery(GroupQuery):
    """Which album; `artist` tells those of one name apart."""

    artist: Text | None = None
    exclude_same_artist: bool = False


class MapCluster(BaseModel):
    """A group of tracks that sound alike, and where it lies."""

    number: int
    name: str
    words: list[str]
    size: int
    x: float
    y: float


class Map(BaseModel):
    """The library from above, a column for each property: entry i of all is the same track."""

    layout: str
    sense: str
    ids: list[str]
    x: list[float]
    y: list[float]
    cluster: list[int]
    titles: list[str]
    artists: list[str]
    clusters: list[MapCluster]


class IndexBody(BaseModel):
    """What to index; nothing for the folders indexed before."""

    model_config = ConfigDict(extra="forbid")
    folders: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field([], max_length=100)


class Failure(BaseModel):
    """A file that is not in the library, and why."""

    path: str
    reason: str


class Failures(BaseModel):
    """Files that could not be used, and files that are too short or too long for the filters."""

    failures: list[Failure]
    left_out: list[Failure]


Status.model_rebuild()
