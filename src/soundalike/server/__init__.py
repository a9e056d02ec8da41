"""A library over HTTP: a JSON API, OpenSubsonic, and the page.

    app.py          create_app(library, settings): everything below, put together
    settings.py     what the server was told when it was started
    running.py      uvicorn, and an end in good order
    workers.py      several processes at one address

every request passes, in this order
    headers.py      what every answer carries: the Content-Security-Policy and its like
    metrics.py      counted, timed, and a line in the log; health
    access.py       who may ask: token, cookie, where the request comes from
    limits.py       bodies that are too large or never end, and who uploads too often
    errors.py       whatever goes wrong, in one shape

what routes stand on
    context.py      the library, the settings and the hands that work
    work.py         so many asks at a time; the others wait their turn
    questions.py    what goes in, field by field
    schemas.py      what comes out

the JSON API, in the families of `Library`
    keeping.py      status, failures, index jobs
    jobs.py         an indexing in a process of its own, seen by all workers
    indexing.py     that process
    tracks.py       tracks, by page and one by one
    media.py        their sound and pictures
    artwork.py      pictures within files, and beside them
    relating.py     artists and albums
    asking.py       search, similar, versions, duplicates
    uploads.py      a file that is not in the library, asked about
    decoding.py     the process that opens it
    going.py        path, radio, mix, sort, playlists
    seeing.py       the map

It needs FastAPI and uvicorn, which nothing outside this folder imports.
"""
