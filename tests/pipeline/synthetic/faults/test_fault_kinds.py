"""Kinds of faults: what makes no sense is refused on one line that says what would."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest

from pipeline.errors import ConfigError
from pipeline.synthetic.faults.fault_kinds import FAULT_KINDS, Fault, FaultKind
from pipeline.synthetic.faults.spoiling import _SPOIL
from pipeline.synthetic.times import leap_seconds_ns

START = 1_577_836_800 * 10**9
GAP = Fault(kind="gap", stream="SY.A..BH", start_ns=START, end_ns=START + 10**9)


def test_every_kind_is_described_and_done() -> None:
    kinds = set(get_args(FaultKind))
    assert set(FAULT_KINDS) == kinds
    assert {*_SPOIL, "swapped"} == kinds


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"kind": "flood"}, "should be one of gap"),
        ({"end_ns": START}, "should come after its start"),
        ({"stream": "SY.A"}, "should have four parts"),
        ({"components": "ZX"}, "components should be of ZNE12, got X"),
        ({"stream": "SY.A..LDI", "components": "Z"}, "components should be of I, got Z"),
        ({"components": "N1"}, "components = 'N1' names one twice"),
        ({"kind": "swapped", "components": "Z"}, "should name two components, as 'NE', got 'Z'"),
        ({"size": 3.0}, "size = 3.0 should be left out"),
        ({"kind": "clock_shift"}, "size = 0.0 should be seconds other than 0"),
        ({"kind": "clock_drift", "size": 9000.0}, "size = 9000.0 should be seconds a day .* below 8640"),
        ({"kind": "clipped", "size": -1.0}, "size = -1.0 should be counts above 0"),
        ({"kind": "clipped", "size": float("nan")}, "size = nan should be counts above 0"),
        ({"kind": "wrong_gain", "size": 1.0}, "should be a factor above 0 other than 1"),
        ({"kind": "dead", "size": 0.5}, "should be whole counts of 32 bits"),
        ({"kind": "two_versions", "size": 1e10}, "should be whole counts of 32 bits"),
        ({"kind": "disagreeing_overlap"}, "should be counts, at least 1"),
        ({"kind": "leap_second"}, "a leap second stands before, as of 2012-07-01, 2015-07-01, 2017-01-01"),
        (
            {"kind": "leap_second", "start_ns": leap_seconds_ns()[-1], "components": "Z"},
            "should name none",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        replace(GAP, **({"end_ns": 2**62} | changes))
    assert "\n" not in str(caught.value)
    assert re.search(match, str(caught.value))


def test_there_were_leap_seconds() -> None:
    """Bulletin C of the IERS: 27 from 1972 on, the last one before 2017."""
    assert len(leap_seconds_ns()) == 27
    for midnight_ns in leap_seconds_ns():
        Fault(kind="leap_second", stream="SY.A..BH", start_ns=midnight_ns, end_ns=midnight_ns + 10**9)
    with pytest.raises(ConfigError):
        Fault(kind="leap_second", stream="SY.A..BH", start_ns=leap_seconds_ns()[0] - 1, end_ns=2**62)
