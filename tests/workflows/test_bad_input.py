"""What real files do wrong: each case of docs/bad-input.md, from the files to the archive."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bad_input import GOOD, Case, Place, Trace, archived, call, expected, recorded, walk
from bad_input_page import CASES, bad_input_page

from pipeline.archive.reading import open_archive
from workflows.ingest.stations import NO_EPOCH

GOOD_TRACE = Trace(walk(600, 9), GOOD)
PAGE = Path(__file__).resolve().parents[2] / "docs" / "bad-input.md"


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return an empty place with one good station, in a bucket where the case wants that."""
    place = Place(tmp_path / "sources", str(tmp_path / "archive.zarr"))
    place.write("good.mseed", GOOD_TRACE.records())
    if request.param.in_bucket:
        place.s3 = request.getfixturevalue("s3")
        place.bucket = place.s3.make_bucket(f"bad-{uuid.uuid4().hex}")
    return place


def params() -> list[Any]:
    return [
        pytest.param(case, case, id=case.name, marks=[pytest.mark.slow] if case.is_slow else [])
        for case in CASES
    ]


@pytest.mark.parametrize(("case", "place"), params(), indirect=["place"])
def test_bad_input(case: Case, place: Place) -> None:
    made = case.make(place)
    now, afterwards = made if isinstance(made, tuple) else (made, made)
    with case.disturb(place):
        seen = call(place, case)
    said = tuple(place.fill(line) for line in case.said)
    assert seen.lines == said
    assert seen.status == case.status
    kept = {line for line in said if not line.startswith("stationday: ") and f": {NO_EPOCH}: " not in line}
    assert recorded(place) == kept
    good = () if case.nothing else (GOOD_TRACE,)
    assert archived(place.archive) == expected((*now, *good))
    if case.check is not None:
        case.check(open_archive(place.archive))
    if case.status != 2:
        check_again(case, place, said, afterwards)


def check_again(case: Case, place: Place, said: Sequence[str], afterwards: Sequence[Trace]) -> None:
    """Run the same command again, undisturbed: it says what is still lost, and takes up what can be had."""
    seen = call(place, case)
    status = case.status if case.again is None else case.again
    still = [line for line in said if line.startswith("lost: ")] if status else []
    assert (seen.status, list(seen.lines)) == (status, still)
    assert archived(place.archive) == expected((*afterwards, GOOD_TRACE))


def test_names_are_unique_and_the_page_has_all() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert PAGE.read_text(encoding="utf-8") == bad_input_page()
    assert all(case.becomes for case in CASES)
