"""OpenSubsonic: players that know Subsonic servers browse, play and ask what sounds alike.

    routing.py         router(library, settings): /rest/NAME -> the endpoint of that name -> an answer
    parameters.py      what a call was given
    login.py           who calls
    catalog.py         a snapshot of the library -> artists, albums, genres
    items.py           these -> the shapes players know
    envelope.py        an answer -> XML, JSON, JSONP
    failures.py        what can go wrong, by number

endpoints, by what they are about
    call.py            what each of them gets
    system.py          ping, extensions, user
    browsing.py        folders, artists, albums, songs, genres
    lists.py           lists of albums, any songs
    searching.py       search, and everything page by page
    similarity.py      similar songs; the extension sonicSimilarity
    playlists.py       playlists, kept in files by playlist_files.py
    retrieval.py       sound and pictures
    absent.py          what there is nothing of

`docs/subsonic.md` says which players work and what each endpoint answers.
"""
