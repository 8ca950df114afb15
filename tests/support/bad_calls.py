"""Cases of bad input: calls and configs that can't be meant, each one line and exit status 2."""

from __future__ import annotations

from pathlib import Path

from bad_input import Group, Place, Trace

__all__ = ["CALLS"]

CALLS = Group("Wrong calls")


def wrong_call(wrong: str, said: str, *options: str, where: str = "{sources}") -> object:
    """Return a case that says one line and makes nothing."""
    return CALLS.case(
        wrong,
        said=(said,),
        becomes="none; nothing is made",
        status=2,
        nothing=True,
        options=options,
        where=where,
    )


def beside(place: Place, name: str, text: str) -> list[Trace]:
    """Write a file beside the sources."""
    (place.folder.parent / name).write_text(text)
    return []


NOTHING = "no such file or folder, or nothing in it; name a folder, file or pattern"


@wrong_call(
    "a source that does not exist", f"stationday: {{sources}}/gone: {NOTHING}", where="{sources}/gone"
)
def no_such_source(place: Place) -> list[Trace]:
    return []


@wrong_call("an empty folder", f"stationday: {{sources}}/empty: {NOTHING}", where="{sources}/empty")
def empty_folder(place: Place) -> list[Trace]:
    (place.folder / "empty").mkdir()
    return []


@wrong_call(
    "a pattern that nothing matches", f"stationday: {{sources}}/*.sac: {NOTHING}", where="{sources}/*.sac"
)
def pattern_without_match(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "a day that is none",
    "stationday: argument --start: '2020-13-01' is not a day; it should look like 2020-03-01; see "
    "`stationday ingest --help`",
    "--start",
    "2020-13-01",
)
def no_such_day(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "a span that ends before it begins",
    "stationday: --end 2020-03-01 lies before --start 2020-03-05; see `stationday ingest --help`",
    *("--start", "2020-03-05", "--end", "2020-03-01"),
)
def end_before_start(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "an option that does not exist",
    "stationday: unrecognized arguments: --colour; see `stationday --help`",
    "--colour",
)
def no_such_option(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "a level that pcodec does not have",
    "stationday: pcodec_level = 99: should be from 0 to 12",
    "--level",
    "99",
)
def no_such_level(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "a cluster with a typo",
    "stationday: profile 'procs' should be 'serial', 'threads:4', 'processes:2', 'tcp://host:8786', "
    "'scheduler.json' or 'path/to/profile.toml'; did you mean 'processes'?",
    "--cluster",
    "procs",
)
def no_such_cluster(place: Place) -> list[Trace]:
    return []


MAP = ("--map", "{sources}/../map.toml")


@wrong_call(
    "a map that is not there",
    "stationday: {sources}/../map.toml: the config can't be read: No such file or directory",
    *MAP,
)
def no_such_map(place: Place) -> list[Trace]:
    return []


@wrong_call(
    "a map that is no TOML",
    "stationday: {sources}/../map.toml should be TOML: Expected ']]' at the end of an array declaration "
    "(at line 1, column 10)",
    *MAP,
)
def map_no_toml(place: Place) -> list[Trace]:
    return beside(place, "map.toml", "[[sources]\n")


@wrong_call(
    "a map with a typo",
    "stationday: {sources}/../map.toml: unknown key sources[0].colums: did you mean columns?",
    *MAP,
)
def map_with_typo(place: Place) -> list[Trace]:
    return beside(place, "map.toml", '[[sources]]\nmatch = "*"\ncolums = []\n')


@wrong_call(
    "an archive whose name is that of a file",
    "stationday: {archive}: a file is in the way; an archive is a folder",
)
def archive_is_a_file(place: Place) -> list[Trace]:
    Path(place.archive).write_text("hello")
    return []


@wrong_call(
    "an archive that is another Zarr group",
    "stationday: {archive}: a zarr.json, but not that of a stationday archive",
)
def archive_of_others(place: Place) -> list[Trace]:
    Path(place.archive).mkdir()
    Path(place.archive, "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}')
    return []
