"""One command per verb; parses, calls the library, prints.

    main.py      the group, and how errors become exit codes
    listen.py    demo, index, similar, embed, failures: what listeners use
    research.py  train, evaluate, export, models: what makes and judges encoders
    places.py    paths as arguments
    show.py      tables, progress bars and JSON

Exit codes: 0 all went well, 1 some input failed (the rest is done), 2 wrong usage.
"""
