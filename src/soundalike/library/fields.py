"""The fields of everything a library says, as JSON has them: the same at every door.

The command line, the server and whoever else writes JSON take them from here. Numbers are rounded to
what they mean, paths are text of `path_to_text`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from soundalike.library.tracks import Track, path_to_text

if TYPE_CHECKING:
    from soundalike.library.answers import Answers
    from soundalike.library.ground import Step
    from soundalike.library.groups import Group
    from soundalike.library.indexing import IndexReport
    from soundalike.library.relating import GroupNeighbor
    from soundalike.library.search import Neighbor
    from soundalike.library.seeing import Cluster, Map
    from soundalike.library.versions import Duplicates, Version


def track_fields(track: Track) -> dict[str, Any]:
    """The fields every door gives a track; paths that are not UTF-8 in the library's own spelling."""
    return {
        "id": track.id,
        "path": path_to_text(track.path),
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "duration": round(track.duration, 3),
    }


def all_fields(track: Track) -> dict[str, Any]:
    """All there is to say of a track; None for a number its file does not say."""
    more = {
        "album_artist": track.album_artist,
        "genre": track.genre,
        "year": track.year,
        "track_number": track.track_number,
    }
    return track_fields(track) | more


def neighbor_fields(neighbor: Neighbor) -> dict[str, Any]:
    """One answer as JSON."""
    return {
        "track": track_fields(neighbor.track),
        "similarity": round(neighbor.similarity, 6),
        "matches": [
            {
                "query": [round(match.query.start, 2), round(match.query.end, 2)],
                "answer": [round(match.answer.start, 2), round(match.answer.end, 2)],
                "similarity": round(match.similarity, 6),
            }
            for match in neighbor.matches
        ],
        "versions": [track_fields(track) for track in neighbor.versions],
    }


def answers_fields(answers: Answers[Neighbor]) -> list[dict[str, Any]]:
    """Answers as JSON, each with the path of the seed it was found by; null of bare vectors."""
    seeds = [None if seed is None else path_to_text(seed.path) for seed in answers.seeds]
    return [neighbor_fields(each) | {"seed": seeds[each.seed]} for each in answers]


def version_fields(version: Version) -> dict[str, Any]:
    """Another version of a track as JSON."""
    return {
        "track": track_fields(version.track),
        "kind": version.kind,
        "why": version.why,
        "similarity": round(version.similarity, 6),
    }


def duplicates_fields(group: Duplicates) -> dict[str, Any]:
    """Files of one recording as JSON."""
    tracks = [track_fields(track) for track in group.tracks]
    copies = [track.id for track in group.copies]
    return {"kind": group.kind, "why": group.why, "tracks": tracks, "copies": copies}


def step_fields(step: Step) -> dict[str, Any]:
    """One step of a path, radio, mix or sorted playlist as JSON."""
    return {
        "track": track_fields(step.track),
        "similarity": round(step.similarity, 6),
        "from_start": round(step.from_start, 6),
    }


def group_fields(group: Group) -> dict[str, Any]:
    """An artist or an album as JSON."""
    return {"name": group.name, "artist": group.artist, "tracks": group.tracks}


def group_neighbor_fields(found: GroupNeighbor) -> dict[str, Any]:
    """An artist or an album that is like another as JSON."""
    return {
        "name": found.name,
        "artist": found.artist,
        "similarity": round(found.similarity, 6),
        "tracks": found.tracks,
        "pairs": [
            {
                "query": track_fields(pair.query),
                "answer": track_fields(pair.answer),
                "similarity": round(pair.similarity, 6),
            }
            for pair in found.pairs
        ],
    }


def cluster_fields(cluster: Cluster) -> dict[str, Any]:
    """A group as JSON."""
    return {
        "cluster": cluster.number,
        "name": cluster.name,
        "size": len(cluster.tracks),
        "words": [
            {
                "kind": word.kind,
                "text": word.text,
                "share": round(word.share, 4),
                "elsewhere": round(word.elsewhere, 4),
            }
            for word in cluster.words
        ],
        "representatives": [track_fields(track) for track in cluster.representatives],
        "tracks": [track.id for track in cluster.tracks],
    }


def map_fields(seen: Map) -> dict[str, Any]:
    """A map as JSON; the tracks of a group are told by the tracks."""
    left_out = ("tracks", "words")
    groups = []
    for cluster in seen.clusters:
        fields = {k: v for k, v in cluster_fields(cluster).items() if k not in left_out}
        groups.append(fields | {"centre": [round(part, 5) for part in seen.centre(cluster)]})
    tracks = [
        {"id": track.id, "x": round(x, 5), "y": round(y, 5), "cluster": label}
        for track, (x, y), label in zip(
            seen.tracks, seen.places.tolist(), seen.labels.tolist(), strict=True
        )
    ]
    return {"layout": seen.layout, "clusters": groups, "tracks": tracks}


def report_fields(report: IndexReport) -> dict[str, Any]:
    """What indexing has done as JSON."""
    said: dict[str, Any] = {
        each.name: getattr(report, each.name) for each in dataclasses.fields(report)
    }
    for name in ("failed", "left_out", "held"):
        said[name] = [{"path": path_to_text(path), "reason": why} for path, why in said[name]]
    return said | {"seconds": round(report.seconds, 3)}
