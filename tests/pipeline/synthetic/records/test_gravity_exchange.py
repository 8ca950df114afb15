"""A gravimeter's day in three formats: the same samples, and missing where one clock can't say."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import obspy
import pytest
from gravity_texts import read_ggp, read_tsf
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.keys import Channel
from pipeline.synthetic.config import FaultConfig, GravityConfig, SynthConfig, read_config
from pipeline.synthetic.faults.spoiling import Trace
from pipeline.synthetic.gravity.gravity_files import GravityFormat
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_exchange import gravity_day_files, on_seconds
from pipeline.synthetic.scenario import Scenario, make_scenario

MIDNIGHT = dt.datetime(2020, 1, 16, tzinfo=dt.UTC)
DAY = MIDNIGHT.toordinal() - dt.date(1970, 1, 1).toordinal()
START = MIDNIGHT - dt.timedelta(minutes=20)
MIDNIGHT_S = DAY * 86_400
ALL: tuple[GravityFormat, ...] = ("mseed", "ggp", "tsf")


def scenario_with(*faults: FaultConfig, formats: tuple[GravityFormat, ...] = ALL) -> Scenario:
    """Forty minutes of one gravimeter around midnight."""
    region = Region(latitude=36.0, longitude=104.0, width_km=900.0, height_km=600.0)
    gravity = GravityConfig(stations=1, start=START, days=40 / 1440, region=region, formats=formats)
    config: SynthConfig = replace(read_config("small"), gravity=gravity, faults=faults)
    return make_scenario(config)


def fault(kind: str, code: str, minute: float, minutes: float, size: float = 0.0) -> FaultConfig:
    """Spoil a channel from a minute after midnight on."""
    return FaultConfig(
        kind=kind,  # type: ignore[arg-type]
        stream=f"GY.G01..{code}",
        time=MIDNIGHT + dt.timedelta(minutes=minute),
        hours=minutes / 60,
        size=size,
    )


def files(scenario: Scenario, code: str, day: int = DAY) -> dict[str, bytes]:
    return gravity_day_files(scenario, scenario.gravimeters[0], code, day)


def texts(scenario: Scenario, day: int = DAY) -> tuple[dict[int, list[float]], dict[int, list[float]]]:
    """Return gravity and pressure by second, as counts, of `.ggp` and of `.tsf`; NaN for none."""
    made = files(scenario, "LGZ", day)
    (ggp,) = (data for path, data in made.items() if path.endswith(".ggp"))
    (tsf,) = (data for path, data in made.items() if path.endswith(".tsf"))
    _, blocks = read_ggp(ggp)
    _, times, samples = read_tsf(tsf)
    of_ggp = {int(row[0]): [row[1] * 10, row[2] * 1000] for block in blocks for row in block}
    of_tsf = {int(time): [row[0] * 10, row[1] * 1000] for time, row in zip(times, samples, strict=True)}
    return of_ggp, of_tsf


def miniseed(scenario: Scenario, day: int = DAY) -> dict[int, list[float]]:
    """Return the same of miniSEED, by obspy; the last of several samples at one second."""
    found: dict[int, list[float]] = {}
    for row, code in enumerate(("LGZ", "LDI")):
        for path, data in files(scenario, code, day).items():
            if path.startswith("sds/"):
                for trace in obspy.read(io.BytesIO(data)):
                    for index, count in enumerate(trace.data.tolist()):
                        second = round(trace.stats.starttime.timestamp + index)
                        found.setdefault(second, [np.nan, np.nan])[row] = float(count)
    return found


def agree(one: dict[int, list[float]], other: dict[int, list[float]]) -> None:
    """Compare what is there: equal whole counts."""
    one, other = ({s: row for s, row in each.items() if not np.isnan(row).all()} for each in (one, other))
    assert sorted(one) == sorted(other)
    for second, row in one.items():
        np.testing.assert_allclose(row, other[second], atol=1e-6)


@pytest.mark.parametrize("day", [DAY - 1, DAY])
def test_three_formats_hold_the_same_samples(day: int) -> None:
    scenario = scenario_with(
        fault("gap", "LGZ", -12, 5), fault("gap", "LDI", -9, 7), fault("gap", "LGZ", 15, 1)
    )
    ggp, tsf = texts(scenario, day)
    agree(ggp, tsf)
    agree(ggp, miniseed(scenario, day))
    assert len(tsf) == 1200
    missing = np.isnan(list(tsf.values())).sum(axis=0).tolist()
    assert missing == ([300, 420] if day < DAY else [60, 0])
    assert len(ggp) == 1200 - (120 if day < DAY else 0)


def test_who_owns_which_file() -> None:
    scenario = scenario_with()
    assert list(files(scenario, "LGZ")) == [
        "sds/2020/GY/G01/LGZ.D/GY.G01..LGZ.D.2020.016",
        "gravity/ggp/G01/2020/GY-G01-20200116.ggp",
        "gravity/tsf/G01/2020/GY-G01-20200116.tsf",
    ]
    assert list(files(scenario, "LDI")) == ["sds/2020/GY/G01/LDI.D/GY.G01..LDI.D.2020.016"]
    text = scenario_with(formats=("ggp",))
    assert files(text, "LDI") == {}
    assert list(files(text, "LGZ")) == ["gravity/ggp/G01/2020/GY-G01-20200116.ggp"]
    assert list(files(scenario_with(formats=("mseed",)), "LGZ")) == [
        "sds/2020/GY/G01/LGZ.D/GY.G01..LGZ.D.2020.016"
    ]


def test_a_day_without_a_sample_has_no_file() -> None:
    gone = [fault("missing_day", code, 0, 60) for code in ("LGZ", "LDI")]
    assert files(scenario_with(*gone), "LGZ") == {}
    ggp, tsf = texts(scenario_with(gone[0]))
    agree(ggp, tsf)
    assert np.isnan([row[0] for row in tsf.values()]).all()
    assert not np.isnan([row[1] for row in tsf.values()]).any()


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("dead", 2.0),
        ("polarity", 0.0),
        ("clipped", 2.0),
        ("wrong_gain", 2.0),
        ("equal_overlap", 0.0),
        ("out_of_order", 0.0),
    ],
)
def test_wrong_values_are_wrong_in_all(kind: str, size: float) -> None:
    scenario = scenario_with(fault(kind, "LGZ", 3, 4, size=size), fault(kind, "LDI", 2, 3, size=1.5 * size))
    ggp, tsf = texts(scenario)
    agree(ggp, tsf)
    agree(ggp, miniseed(scenario))


def test_what_disagrees_is_missing_and_the_better_version_counts() -> None:
    clean, _ = texts(scenario_with())
    ggp, tsf = texts(
        scenario_with(
            fault("disagreeing_overlap", "LGZ", 3, 2, size=500.0),
            fault("two_versions", "LDI", 5, 3, size=9.0),
        )
    )
    agree(ggp, tsf)
    for second, row in tsf.items():
        inside = 180 <= second - MIDNIGHT_S < 300
        # An offset that is drawn may be 0 or so small that both agree.
        assert np.isnan(row[0]) or row[0] == pytest.approx(clean[second][0])
        assert inside or not np.isnan(row[0])
        assert row[1] == pytest.approx(clean[second][1])
    assert np.isnan([row[0] for row in tsf.values()]).sum() > 110


def test_clocks_are_rounded_to_the_second() -> None:
    clean, _ = texts(scenario_with())
    late, _ = texts(
        scenario_with(
            fault("clock_shift", "LGZ", 0, 20, size=3.4), fault("clock_shift", "LDI", 0, 20, size=0.4)
        )
    )
    for second, row in clean.items():
        assert late[second + 3][0] == pytest.approx(row[0])
        assert late[second][1] == pytest.approx(row[1])
    assert np.isnan([late[MIDNIGHT_S + k][0] for k in range(3)]).all()
    # Stays in the file that it came with, as in miniSEED.
    assert max(late) == max(clean) + 3


def test_half_the_rate_leaves_every_other_second() -> None:
    _, tsf = texts(scenario_with(fault("half_rate", "LGZ", 0, 20)))
    missing = np.isnan([row[0] for row in tsf.values()])
    assert missing[1::2].all()
    assert not missing[::2].any()


def test_a_clock_that_is_off_by_years_is_refused() -> None:
    wrong = scenario_with(fault("clock_shift", "LGZ", 0, 20, size=3e7))
    with pytest.raises(ConfigError, match=r"GY\.G01\.\.LGZ: a fault moves 2020-01-16 by more than a day"):
        files(wrong, "LGZ")


@pytest.mark.parametrize("formats", [(), ("ggp", "ggp")])
def test_formats_fail(formats: tuple[GravityFormat, ...]) -> None:
    with pytest.raises(ConfigError, match=r"formats = \[.*\]: should name at least one, and none twice"):
        scenario_with(formats=formats)


PIECES = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.lists(st.integers(0, 2), min_size=1, max_size=4),
        st.sampled_from("DQ"),
        st.integers(-400, 400),
    ),
    max_size=6,
)


@given(pieces=PIECES)
def test_one_clock_is_what_its_rule_says(pieces: list[tuple[int, list[int], str, int]]) -> None:
    traces = [
        Trace(
            channel=Channel.parse("GY.G01..LGZ"),
            samples=np.array(samples, dtype=np.int32),
            start_ns=start_s * 10**9 + off_ms * 10**6,
            rate_hz=1.0,
            quality=quality,
        )
        for start_s, samples, quality, off_ms in pieces
    ]
    found = on_seconds(traces, 0, 12)
    for second in range(12):
        by_quality = {
            quality: {
                samples[second - start_s]
                for start_s, samples, each, _ in pieces
                if each == quality and 0 <= second - start_s < len(samples)
            }
            for quality in "QD"
        }
        values = by_quality["Q"] or by_quality["D"]
        if len(values) == 1:
            assert found[second] == values.pop()
        else:
            assert np.isnan(found[second])
