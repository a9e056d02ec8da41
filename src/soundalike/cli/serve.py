"""Serving a library: the page, the JSON API, OpenSubsonic."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from soundalike.cli import show
from soundalike.cli.options import library_option, model_option, open_library
from soundalike.cli.places import PLACE

SHORTEST_TOKEN = 8


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on. Others than this machine's own want a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="0: any free one.",
)
@click.option(
    "--token-file",
    type=PLACE,
    help="File with the token that who asks must know. The safest way: it shows in no process list.",
)
@click.option(
    "--token", envvar="SOUNDALIKE_TOKEN", show_envvar=True, help="The token itself, for trying it."
)
@click.option("--no-auth", is_flag=True, help="Let everybody ask who can reach --host.")
@click.option(
    "--music",
    multiple=True,
    type=PLACE,
    metavar="FOLDER",
    help="Also let this folder be indexed from the page. Repeatable.",
)
@click.option(
    "--root-path", default="", metavar="PATH", help="Where a proxy has put it, such as /music."
)
@click.option(
    "--allow-host",
    multiple=True,
    metavar="NAME",
    help="Without a token: answer to this name, too, such as that of a proxy. Repeatable.",
)
@click.option(
    "--cors",
    multiple=True,
    metavar="ORIGIN",
    help="Let pages of this origin ask, such as https://player.example. Repeatable.",
)
@click.option(
    "--compat",
    multiple=True,
    type=click.Choice(["audiomuse"]),
    help="Also answer as this program does, for its plugins.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer. One serves a household; take one per core for many.",
)
@click.option("--follow-links", is_flag=True, help="Also play files that links lead to elsewhere.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.option("-q", "--quiet", is_flag=True, help="No line for each request.")
@library_option
@model_option
def serve(library: Path | None, **options: Any) -> None:
    """Serve the library: a page to listen with, a JSON API, and OpenSubsonic for players.

    It listens on this machine alone. To let others in, give it a token and an address:

    \b
    python -c "import secrets; print(secrets.token_urlsafe())" > token
    soundalike serve --host 0.0.0.0 --token-file token

    The page asks for the token once; programs send it as "Authorization: Bearer TOKEN". Indexing may go on
    meanwhile, from the page, from the command line or from cron. Ctrl-C ends it.
    """
    from soundalike.library.held import is_library
    from soundalike.server.running import run
    from soundalike.server.settings import Settings, is_local

    token = _token(options["token"], options["token_file"], options["no_auth"])
    host, local = options["host"], is_local(options["host"])
    if not local and token is None and not options["no_auth"]:
        raise click.UsageError(
            f"on {host} others can reach it: give --token-file FILE, or --no-auth to let everybody in"
        )
    opened = open_library(library, options["model"])
    if not options["music"] and not is_library(opened.path):
        raise click.UsageError(
            f"there is no library in {opened.path}; name another place with --library, or a folder "
            "to be indexed from the page: soundalike serve --music FOLDER"
        )
    settings = Settings(
        host=host,
        port=options["port"],
        token=token,
        root_path=_root_path(options["root_path"]),
        workers=options["workers"],
        allowed_hosts=tuple(map(_name, options["allow_host"])),
        cors=tuple(map(_origin, options["cors"])),
        compat=options["compat"],
        music=tuple(map(_folder, options["music"])),
        follow_links=options["follow_links"],
        model=options["model"],
        access_log=not options["quiet"],
    )
    if token is None and not local:
        click.echo(f"soundalike: NO TOKEN: whoever can reach {host} may listen and index", err=True)

    def ready(url: str) -> None:
        count = len(opened)
        tracks = "1 track" if count == 1 else f"{count} tracks"
        click.echo(
            f"soundalike: {tracks} of {show.show_path(opened.path)} at {url} (Ctrl-C ends it)",
            err=True,
        )
        if options["open_page"]:
            import threading
            import webbrowser

            threading.Timer(1.0, webbrowser.open, (url,)).start()

    run(opened.path, settings, ready)


def _token(token: str | None, file: Path | None, no_auth: bool) -> str | None:
    """The token, from wherever it was given. Raises click.UsageError."""
    if no_auth:
        if file is not None or token is not None:
            raise click.UsageError("--no-auth and a token contradict each other; give one of them")
        return None
    if file is not None:
        try:
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise click.BadParameter(
                f"cannot read {show.show_path(file)}: {why}", param_hint="--token-file"
            ) from None
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise click.UsageError(
            f"the token has {len(token)} characters, at least {SHORTEST_TOKEN} are needed; make one: "
            'python -c "import secrets; print(secrets.token_urlsafe())"'
        )
    if token is not None and not (token.isascii() and token.isprintable()):
        raise click.UsageError(
            "the token has line breaks or letters outside ASCII, which not every player can send"
        )
    return token


def _root_path(given: str) -> str:
    path = given.rstrip("/")
    if path and (not path.startswith("/") or "//" in path or not path.isprintable()):
        raise click.BadParameter(f'"{given}" is no path; write /music', param_hint="--root-path")
    return path


def _origin(given: str) -> str:
    parts = urlsplit(given)
    bare = f"{parts.scheme}://{parts.netloc}"
    if given != "*" and (parts.scheme not in ("http", "https") or bare != given.rstrip("/")):
        raise click.BadParameter(
            f'"{given}" is no origin; write https://player.example', param_hint="--cors"
        )
    return given.rstrip("/").lower()  # as browsers write it


def _name(given: str) -> str:
    # Of an IPv6 address the colons are no port.
    if not given or any(sign in given for sign in "/@[] ") or given.count(":") == 1:
        raise click.BadParameter(
            f'"{given}" is no name of a host; write music.example.org, without a port',
            param_hint="--allow-host",
        )
    return given


def _folder(given: Path) -> Path:
    from soundalike.library.queries import absolute

    folder = absolute(given)
    if not folder.is_dir():
        raise click.BadParameter(
            f"there is no folder {show.show_path(given)}", param_hint="--music"
        )
    return folder
