"""Reading a config: what fits is taken as it is, what does not is refused on one line that helps."""

import datetime as dt
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import from_mapping, load
from pipeline.errors import ConfigError


class Phase(Enum):
    P = "P"
    S = "S"


@dataclass(frozen=True, kw_only=True)
class Picking:
    threshold: float = 0.3
    passes: int = 10
    precision: Literal["fp32", "bf16"] = "fp32"
    phases: tuple[Phase, ...] = (Phase.P, Phase.S)
    band_hz: tuple[float, float] = (1.0, 20.0)

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1:
            raise ConfigError(f"threshold = {self.threshold} should lie between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Station:
    code: str
    gain: float | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    archive: Path
    first_day: dt.date
    until: dt.datetime | None = None
    resume: bool = True
    picking: Picking = field(default_factory=Picking)
    stations: tuple[Station, ...] = ()
    clocks_s: Mapping[str, float] = field(default_factory=dict)


GOOD = """
archive = "data/archive.zarr"
first_day = 2020-12-31
until = 2021-01-01T12:00:00+02:00
clocks_s = {"CI.CCC..HH" = 1}

[picking]
threshold = 0.5
phases = ["S"]
band_hz = [2, 15]

[[stations]]
code = "CCC"

[[stations]]
code = "MPM"
gain = 4e8
"""


def test_load_passes() -> None:
    run = load(Run, GOOD)
    assert run == Run(
        archive=Path("data/archive.zarr"),
        first_day=dt.date(2020, 12, 31),
        until=dt.datetime(2021, 1, 1, 10, tzinfo=dt.UTC),
        picking=Picking(threshold=0.5, phases=(Phase.S,), band_hz=(2.0, 15.0)),
        stations=(Station(code="CCC"), Station(code="MPM", gain=4e8)),
        clocks_s={"CI.CCC..HH": 1.0},
    )
    assert run.until is not None
    assert run.until.tzinfo is dt.UTC
    assert all(type(value) is float for value in (*run.picking.band_hz, *run.clocks_s.values()))


def test_optional_without_default_may_be_left_out() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Cut:
        start: dt.date | None

    assert load(Cut, "") == Cut(start=None)


def test_a_time_without_zone_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Asia/Tokyo")
    run = load(Run, 'archive = "~/$HOME"\nfirst_day = 2020-12-31\nuntil = 2021-01-01T12:00:00')
    assert run.until == dt.datetime(2021, 1, 1, 12, tzinfo=dt.UTC)
    assert str(run.archive) == "~/$HOME"


HEAD = 'archive = "a"\nfirst_day = 2020-12-31\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "[piking]", "run.toml: unknown key piking: did you mean picking?"),
        (HEAD + "[picking]\nTreshold = 1", "run.toml: unknown key picking.Treshold: did you mean threshold?"),
        (HEAD + "[picking]\nband-hz = 1", "run.toml: unknown key picking.band-hz: did you mean band_hz?"),
        (
            HEAD + "[picking]\nzzz = 1",
            "run.toml: unknown key picking.zzz: the keys are threshold, passes, precision, phases, band_hz",
        ),
        (HEAD + '"a\\nb" = 1', 'run.toml: unknown key "a\\nb": the keys are archive, first_day, until,'),
        (
            "first_day = 2020-12-31",
            "run.toml: missing key archive: should be a path of this machine, in quotes",
        ),
        (HEAD + "[[stations]]\ngain = 2", "run.toml: missing key stations[0].code: should be text in quotes"),
        (HEAD + "resume = 1", "run.toml: resume is 1, but should be true or false"),
        (HEAD + "picking = 3", "run.toml: picking is 3, but should be a table of keys and values"),
        (HEAD + "picking.passes = true", "run.toml: picking.passes is true, but should be a whole number"),
        (HEAD + "picking.passes = 2.0", "run.toml: picking.passes is 2.0, but should be a whole number"),
        (HEAD + "picking.threshold = '0.5'", 'run.toml: picking.threshold is "0.5", but should be a number'),
        (HEAD + "picking.threshold = true", "run.toml: picking.threshold is true, but should be a number"),
        (
            HEAD + "picking.precision = 'fp16'",
            'run.toml: picking.precision is "fp16", but should be one of "fp32", "bf16"',
        ),
        (
            HEAD + "picking.phases = ['P', 'Pn']",
            'run.toml: picking.phases[1] is "Pn", but should be one of "P", "S"',
        ),
        (
            HEAD + "picking.phases = 'P'",
            'run.toml: picking.phases is "P", but should be a list, each of it one of "P", "S"',
        ),
        (
            HEAD + "picking.band_hz = [1, 2, 3]",
            "run.toml: picking.band_hz is [1, 2, 3], but should be a list of 2: a number; a number",
        ),
        (HEAD + "picking.threshold = 1.5", "run.toml: picking: threshold = 1.5 should lie between 0 and 1"),
        (
            HEAD + "until = 2020-12-31",
            "run.toml: until is 2020-12-31, but should be a time, as",
        ),
        ("archive = ''", 'run.toml: archive is "", but should be a path of this machine, in quotes'),
        (
            "archive = 'a'\nfirst_day = '2020-12-31'",
            'run.toml: first_day is "2020-12-31", but should be a date, as 20',
        ),
        (
            "archive = 'a'\nfirst_day = 2020-12-31T00:00:00Z",
            "run.toml: first_day is 2020-12-31T00:00:00+00:00, but should be a date",
        ),
        (
            "archive = 's3://a/b'",
            'run.toml: archive is "s3://a/b", but should be a path of this machine, in quotes',
        ),
        (HEAD + 'picking.precision = "a\\nb"', 'run.toml: picking.precision is "a\\nb", but'),
        (HEAD + "clocks_s = {a = 'x'}", 'run.toml: clocks_s.a is "x", but should be a number'),
        (HEAD + "clocks_s = 1", "run.toml: clocks_s is 1, but should be a table, each value of it a number"),
        ("archive = ", "run.toml should be TOML: Invalid value"),
    ],
)
def test_load_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("run.toml")
    path.write_text(text)
    with pytest.raises(ConfigError, match="^" + re.escape(message)) as caught:
        load(Run, path)
    assert "\n" not in str(caught.value)


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.toml: the config can't be read: No such file or directory$"):
        load(Run, tmp_path / "run.toml")
    (tmp_path / "run.toml").write_bytes(b"archive = '\xff'")
    with pytest.raises(ConfigError, match=r"run\.toml should be TOML: .*utf-8"):
        load(Run, tmp_path / "run.toml")
    with pytest.raises(ConfigError, match=r"^the config should be TOML: "):
        load(Run, "archive =")


def test_nothing_of_where_without_it() -> None:
    with pytest.raises(
        ConfigError, match=r"^missing key archive: should be a path of this machine, in quotes$"
    ):
        from_mapping(Run, {})
    with pytest.raises(ConfigError, match=r"^command line: threshold = 2\.0 should lie between 0 and 1$"):
        from_mapping(Picking, {"threshold": 2}, where="command line")


def test_a_type_that_no_config_can_hold_is_a_bug_of_the_dataclass() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Wrong:
        names: set[str]

    with pytest.raises(TypeError, match=r"a config can't hold set\[str\]"):
        from_mapping(Wrong, {"names": ["a"]})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["archive", "first_day", "until", "resume", "picking", "stations", "clocks_s", "a\nb"]
        ),
        ANYTHING,
    )
)
def test_anything_is_a_config_or_one_line(mapping: dict[str, Any]) -> None:
    try:
        run = from_mapping(Run, mapping, where="run.toml")
    except ConfigError as error:
        message = str(error)
    else:
        message = ""
        assert isinstance(run.archive, Path)
    assert len(message.splitlines()) <= 1
