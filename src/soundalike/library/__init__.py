"""From a folder to answers.

    library.py      Library: the one object people hold; its verbs stand in keeping.py, asking.py,
                    going.py, relating.py and seeing.py, what they share in held.py

keeping, in the order of use
    scan.py         folders -> audio files; what is new, changed, moved, gone
    tracks.py       a track, its tags, and paths as text
    choice.py       which files of the folders belong to the library
    indexing.py     what indexing does before it embeds: look, compare, reuse
    retagging.py    files whose tags alone are new keep their vectors
    ingest.py       files -> rows, committed in batches
    store.py        tracks, vectors and failures in Lance tables
    snapshot.py     the same, frozen into memory-mapped files that open at once
    laying_out.py   snapshots while a table is written to, and at its end
    removal.py      folders and tracks to forget
    info.py         what a library holds, in numbers
    doctor.py       whether all is well
    manifest.py     library.json: which table of which encoder answers
    opened.py       a library as one process has it open
    disk.py         atomic writes, the lock, and the reasons a disk gives

asking
    aggregation.py  segment vectors [S, D] of two tracks -> one similarity
    expressions.py  a filter as people type it -> a tree
    filters.py      the tree and the tags of all tracks -> who may answer
    queries.py      what was asked -> vectors, and what to leave out
    folding.py      text as people compare it
    find.py         words -> the tracks that have them
    ranking.py      a question -> rows, best first: candidates, exact re-rank
    makers.py       which artist and album each track is of
    versions.py     which tracks are one recording, or one piece played again
    selection.py    what may answer, and which answers are shown
    search.py       a question -> neighbors: choice, explanation
    similarity.py   a cosine -> 0..1 that means the same everywhere
    groups.py       tracks -> artists and albums, and how alike two are; relating.py has the verbs
    answers.py      a list that can say what is not in it
    fields.py       tracks and answers -> JSON, the same at every door
    playlists.py    tracks -> M3U8, and playlists -> tracks

going
    material.py     tracks, files, folders, playlists -> pieces to go by
    ground.py       all tracks as points one can go over, and the steps of a way
    path.py         two tracks -> the way between them
    radio.py        some seeds -> music without end
    order.py        tracks -> an order in which neighbors sound alike; a mix

seeing
    clusters.py     vectors -> groups that sound alike
    naming.py       groups and tags -> names
    layout.py       vectors -> places on a plane
    picture.py      a map -> PNG, SVG
    vectors.py      the vectors themselves, batch by batch
"""
