"""Library: the one object people hold. Folders go in, similar tracks come out.

    library = Library("my-library")
    report = library.index(["~/Music"])
    for neighbor in library.similar("song.mp3", n=20):
        print(neighbor.similarity, neighbor.track.artist, neighbor.track.title)

A library is a folder (see `manifest`, `store`, `snapshot`). One program indexes at a time; any
number read, also meanwhile, each from the state it opened. A reader takes up a finished indexing by
itself.
"""

from __future__ import annotations

from soundalike.library.asking import Asking
from soundalike.library.going import Going
from soundalike.library.keeping import Keeping
from soundalike.library.relating import Relating
from soundalike.library.seeing import Seeing


class Library(Keeping, Asking, Going, Relating, Seeing):
    """A music library: its tracks, and what sounds like what.

    `held` has what it is made of, `keeping` the verbs that change it, `asking` those that ask, `going`
    those that put tracks in an order, `relating` those about artists and albums, `seeing` those that
    show it as a whole.
    """
