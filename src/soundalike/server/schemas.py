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
    artwork: str


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


class Failure(BaseModel):
    """A file that is not in the library, and why."""

    path: str
    reason: str


class Failures(BaseModel):
    """Files that could not be used, and files that are too short or too long for the filters."""

    failures: list[Failure]
    left_out: list[Failure]


Status.model_rebuild()
