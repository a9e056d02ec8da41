"""What goes into the JSON API, field by field.

The names are those of the command line's options; one that is none of them is an error, for it is a slip.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST_ANSWERS = 1000
MOST_TRACKS = 10_000
"""Tracks that may be named in one request."""
MOST_SORTED = 5000
"""Sorting takes memory for every pair of them: of so many, 300 MB."""

Id = Annotated[str, Field(description="of a track, 16 hexadecimal digits", max_length=64)]
Ids = Annotated[list[Id], Field(max_length=MOST_TRACKS)]
Text = Annotated[str, Field(max_length=1000)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=MOST_ANSWERS)]


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
    ids: list[Id] = Field(min_length=1, max_length=MOST_SORTED)
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


class IndexBody(BaseModel):
    """What to index; nothing for the folders indexed before."""

    model_config = ConfigDict(extra="forbid")
    folders: list[Annotated[str, Field(min_length=1, max_length=4096)]] = Field([], max_length=100)
