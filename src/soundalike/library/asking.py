"""Asking: what sounds like this?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from soundalike.errors import QueryError
from soundalike.library import queries, ranking, search
from soundalike.library.aggregation import Vectors, check_aggregation
from soundalike.library.held import Held
from soundalike.library.ranking import Query, Question
from soundalike.library.search import Neighbor
from soundalike.library.snapshot import Snapshot
from soundalike.library.tracks import Track, text_to_path


class Asking(Held):
    """The verbs that ask."""

    def similar(
        self,
        query: Track | Path | str | Vectors,
        *,
        n: int = 10,
        aggregation: str = "mean",
        include_self: bool = False,
        start: float | None = None,
        end: float | None = None,
        sense: str = ranking.BOTH,
    ) -> list[Neighbor]:
        """Find the tracks that sound most like a query.

        Args:
            query: a track of the library, its id or its path, whose stored vectors are taken; any
                other audio file, embedded now; or vectors of the library's encoder, [D] or [S, D].
            n: answers wanted, at least 1; there are fewer when the library is smaller.
            aggregation: how segments make a similarity, one of `aggregation.AGGREGATIONS`.
            include_self: keep the query among the answers. Else tracks with its id, its path or
                exactly its content, copies under other names included, are left out.
            start, end: compare this stretch of the file only, in seconds.
            sense: compare by one sense of a joined model alone, such as "composition" (`senses`
                lists them); "both" weighs all of them together.

        Returns:
            Neighbors by descending similarity, equal ones by path.

        Raises:
            QueryError: an empty library, an unknown track, n below 1, no such aggregation or
                sense.
            ModelError: the library holds no vectors of the encoder asked with.
            AudioError: the file cannot be used.
        """
        search.check_count(n)
        check_aggregation(aggregation)
        snapshot = self._filled()
        ranking.columns_of(sense, snapshot.senses)  # or else an error, before a file is listened to
        asked = self._query(query, snapshot, start=start, end=end)
        if include_self:
            asked = Query(asked.vectors, asked.segments)
        question = Question((asked,), aggregation=aggregation, sense=sense)
        table = self._opened.table() if snapshot.segments is None else None
        return search.neighbors(question, snapshot, n=n, table=table)

    def _query(
        self,
        query: Track | Path | str | Vectors,
        snapshot: Snapshot,
        *,
        start: float | None,
        end: float | None,
    ) -> Query:
        whole = start is None and end is None
        if isinstance(query, np.ndarray):
            if not whole:
                raise QueryError("start and end belong to a file; vectors have no times")
            return queries.of_vectors(query, self._opened.dimension())
        row = queries.row_of(query, snapshot)
        if row is not None and whole:
            return queries.of_row(row, snapshot, opened=self._opened)
        path = queries.absolute(query) if not isinstance(query, Track) else query.path
        if row is not None:
            path = text_to_path(snapshot.paths[row])
        elif isinstance(query, Track) or not path.exists():
            raise queries.unknown(query, snapshot)
        return queries.of_file(path, snapshot, opened=self._opened, start=start, end=end)
