"""What comes out of the JSON API, field by field: those of `soundalike ... --json` and no others."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Similarity = Annotated[float, Field(ge=0, le=1, description="1 the same, 0 unrelated")]


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


class Step(BaseModel):
    """A track on the way, how like the one before it and how like the start."""

    track: Track
    similarity: Similarity
    from_start: Similarity


class Steps(BaseModel):
    """Tracks in an order; `note` says what is missing."""

    steps: list[Step]
    note: str = ""


class RadioSteps(Steps):
    """What is played next, and the state from which it goes on; `ended` if nothing is left."""

    state: dict[str, Any]
    ended: bool


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


class Failure(BaseModel):
    """A file that is not in the library, and why."""

    path: str
    reason: str


class Failures(BaseModel):
    """Files that could not be used, and files that are too short or too long for the filters."""

    failures: list[Failure]
    left_out: list[Failure]


Status.model_rebuild()
