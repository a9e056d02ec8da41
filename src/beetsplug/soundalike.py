"""The beets plugin: `beet soundalike` finds what sounds like music of a beets library.

    plugins: soundalike
    soundalike:
        library: ~/soundalike     # default: that of the soundalike command
        model:                    # default: the one the library was made by
        auto: no                  # listen to what is imported, after each import

    beet soundalike index [QUERY]
    beet soundalike similar QUERY [-n 10] [-f FORMAT] [-p] [--m3u FILE]

A beets library says what there is and how it is shown; a soundalike library, a folder of its own, has
the vectors. The two meet by path. Nothing is written to beets' database or to the music.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from beets import ui
from beets.exceptions import UserError
from beets.plugins import BeetsPlugin

from soundalike import Library, SoundalikeError

USAGE = "%prog index [QUERY]\n       %prog similar QUERY [options]"
# Answers that are no items of beets are passed over; then this many times as many are asked for.
DEEPER = 4


class SoundalikePlugin(BeetsPlugin):  # type: ignore[misc] # beets is not there for everybody
    """The command `beet soundalike`, and listening to what is imported."""

    def __init__(self) -> None:
        super().__init__()
        self.config.add({"library": None, "model": None, "auto": False})
        self._imported: set[Path] = set()
        if self.config["auto"].get(bool):
            self.register_listener("album_imported", self._album_imported)
            self.register_listener("item_imported", self._item_imported)
            self.register_listener("import", self._import_ended)

    def commands(self) -> list[Any]:
        """Give beets the command."""
        parser = ui.CommonOptionsParser(usage=USAGE)
        parser.add_option("-n", dest="count", type="int", default=10, help="answers wanted")
        parser.add_option("--m3u", metavar="FILE", help="write a playlist instead of a list")
        parser.add_path_option()
        parser.add_format_option()
        about = "find music that sounds alike"
        command = ui.Subcommand("soundalike", parser, help=about)
        command.func = self._run
        return [command]

    def _run(self, lib: Any, opts: Any, args: list[str]) -> None:
        verb, *query = args or [""]
        try:
            if verb == "index":
                self._index(lib, query)
            elif verb == "similar":
                self._similar(lib, opts, query)
            else:
                raise UserError(
                    f"soundalike: no verb {verb!r}; there are: beet soundalike index [QUERY], "
                    "beet soundalike similar QUERY"
                )
        except SoundalikeError as error:
            raise UserError(f"soundalike: {error}") from error

    def _index(self, lib: Any, query: list[str]) -> None:
        """Listen to the folders in which the items lie that match."""
        folders = {item.filepath.parent for item in lib.items(query)}
        if not folders:
            raise UserError("soundalike: nothing to listen to; no item of beets matches")
        music = Path(os.fsdecode(lib.directory))
        if not query and any(folder.is_relative_to(music) for folder in folders):
            folders.add(music)  # one folder for all in it, and for what comes later
        self._listen(folders)

    def _listen(self, folders: Iterable[Path]) -> None:
        there = [folder for folder in _outermost(folders) if folder.is_dir()]
        for folder in set(_outermost(folders)) - set(there):
            self._log.warning("there is no folder {}", folder)
        library = self._library()
        report = library.index(there)
        for path, reason in [*report.failed, *report.held]:
            self._log.warning("{}: {}", path, reason)
        ui.print_(
            f"soundalike: {report.added} new, {report.updated} changed, {report.moved} moved, "
            f"{report.removed} gone; {len(library)} tracks"
        )

    def _similar(self, lib: Any, opts: Any, query: list[str]) -> None:
        """Print the items that sound most like those that match."""
        if not query:
            raise UserError("soundalike: similar needs a query, such as artist:nina")
        seeds = list(lib.items(query))
        if not seeds:
            raise UserError(f"soundalike: no item of beets matches {' '.join(query)!r}")
        if opts.count < 1:
            raise UserError(f"soundalike: n must be at least 1, not {opts.count}")
        found = self._found(lib, seeds, opts.count)
        if not found:
            raise UserError(
                "soundalike: no other item of beets has been listened to; beet soundalike index"
            )
        if opts.m3u:
            _write_playlist(Path(opts.m3u).expanduser(), found, "Like " + " ".join(query))
            return
        chosen = getattr(opts, "format", None)  # there only where -f or -p was given
        for item in found:
            # Who asks for a form gets that and no more; $similarity is a field to use in it.
            ui.print_(format(item) if chosen else f"{item.similarity}  {format(item)}")

    def _found(self, lib: Any, seeds: Sequence[Any], count: int) -> list[Any]:
        """Items like the seeds, most alike first, each with a field `similarity`."""
        library = self._library()
        items = {item.filepath: item for item in lib.items()}
        own = {seed.id for seed in seeds}
        paths = [seed.filepath for seed in seeds]
        asked: Any = paths[0] if len(paths) == 1 else paths
        wanted = count + len(seeds)
        while True:
            answers = library.similar(asked, n=wanted)
            found = []
            for answer in answers:
                item = items.get(answer.track.path)
                if item is not None and item.id not in own:
                    item["similarity"] = f"{answer.similarity:.3f}"  # in memory, never stored
                    found.append(item)
            if len(found) >= count or len(answers) < wanted:
                return found[:count]
            wanted *= DEEPER

    def _library(self) -> Library:
        model = self.config["model"].get() or None
        if self.config["library"].get():
            return Library(self.config["library"].as_filename(), model=model)
        import platformdirs

        return Library(platformdirs.user_data_path("soundalike") / "library", model=model)

    def _album_imported(self, lib: Any, album: Any) -> None:
        del lib
        self._imported |= {item.filepath.parent for item in album.items()}

    def _item_imported(self, lib: Any, item: Any) -> None:
        del lib
        self._imported.add(item.filepath.parent)

    def _import_ended(self, lib: Any, paths: Any) -> None:
        """Listen once all files are where they are to stay; a failure does not undo the import."""
        del lib, paths
        if self._imported:
            try:
                self._listen(self._imported)
            except SoundalikeError as error:
                self._log.warning("{}", error)
            self._imported.clear()


def _outermost(folders: Iterable[Path]) -> list[Path]:
    """Folders without those that lie in another of them."""
    kept: list[Path] = []
    for folder in sorted(set(folders)):
        # In order of their parts a folder stands right before what is in it.
        if not (kept and folder.is_relative_to(kept[-1])):
            kept.append(folder)
    return kept


def _write_playlist(path: Path, items: Sequence[Any], title: str) -> None:
    from soundalike.library.playlists import write_m3u8
    from soundalike.library.tracks import Track

    tracks = [
        Track(str(item.id), item.filepath, item.title, item.artist, item.album, item.length)
        for item in items
    ]
    left_out = write_m3u8(path, tracks, title=title)
    ui.print_(f"soundalike: {len(tracks) - len(left_out)} tracks in {path}")
    if left_out:
        missing = "; ".join(f"{str(track)!r}: {why}" for track, why in left_out)
        raise UserError(f"soundalike: left out {missing}")
