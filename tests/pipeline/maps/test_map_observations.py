"""What a map takes of stations: what is left out has its reason, what is odd is said."""

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.maps.observations import Observations, gather, subtract


def row(count: int, longitude: object, latitude: object, value: object) -> Observations:
    return gather([f"S{i}" for i in range(count)], longitude, latitude, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("longitude", "latitude", "value", "error", "reason"),
    [
        (10, 20, np.nan, 0, "its value is nan"),
        (10, 20, np.inf, 0, "its value is inf"),
        (10, np.nan, 1, 0, "its latitude is nan"),
        (10, -90.5, 1, 0, "its latitude is -90.5"),
        (np.nan, 20, 1, 0, "its longitude is nan"),
        (361, 20, 1, 0, "its longitude is 361"),
        (10, 20, 1, -1, "its error is -1"),
        (10, 20, 1, np.inf, "its error is"),
    ],
)
def test_what_can_not_be_used_is_left_out_by_name(
    longitude: float, latitude: float, value: float, error: float, reason: str
) -> None:
    taken = gather(["good", "bad"], [5, longitude], [6, latitude], [7, value], error=[0, error])
    assert taken.names == ("good",)
    assert [each.name for each in taken.left_out] == ["bad"]
    assert taken.left_out[0].reason.startswith(reason)


def test_an_error_that_is_not_known_is_none() -> None:
    assert gather(["a"], [5], [6], [7], error=[np.nan]).error.tolist() == [0]


def test_longitudes_are_turned() -> None:
    assert row(3, [181, 360, -180], [0, 0, 0], [1, 2, 3]).longitude_deg.tolist() == [-179, 0, -180]


def test_lengths_and_names() -> None:
    with pytest.raises(ConfigError, match="2 stations should have as many places, values, errors"):
        gather(["a", "b"], [1, 2], [1, 2], [1])
    with pytest.raises(ConfigError, match="each station should come once in a map, got 'a' 2 times"):
        gather(["a", "a"], [1, 2], [1, 2], [1, 2])


def test_inputs_may_be_read_only() -> None:
    columns = [np.array([1.0, 2.0]) for _ in range(3)]
    for column in columns:
        column.flags.writeable = False
    assert len(gather(["a", "b"], *columns)) == 2


def test_shared_places_are_said_and_kept() -> None:
    found = row(4, [10, 10, 370 - 360, 11], [50, 50, 50, 50], [1, 2, 3, 4])
    assert len(found) == 4
    assert found.remarks()[0] == "3 of 4 stations share a place with another: S0, S1, S2"


@pytest.mark.parametrize(
    ("longitude", "latitude"),
    [
        (np.linspace(80, 120, 9), np.zeros(9)),  # along the equator
        (np.full(9, 100.0), np.linspace(20, 60, 9)),  # along a meridian
        (np.linspace(100, 101, 9), np.linspace(30, 31, 9) + 0.003 * (-1.0) ** np.arange(9)),  # a profile
        (np.linspace(-4, 4, 9) % 360, 0.5 * np.linspace(-4, 4, 9)),
    ],
)
def test_stations_on_a_line_are_said(longitude: np.ndarray, latitude: np.ndarray) -> None:
    remarks = row(9, longitude, latitude, np.arange(9.0)).remarks()
    assert remarks == ("the 9 stations lie on a line: across it the map says little",)


def test_stations_of_an_area_are_no_line() -> None:
    rng = np.random.default_rng(0)
    assert row(9, rng.uniform(100, 110, 9), rng.uniform(30, 40, 9), np.arange(9.0)).remarks() == ()
    assert row(3, [0, 120, 240], [80, 80, 80], np.arange(3.0)).remarks() == ()


def test_equal_values_are_said() -> None:
    assert row(3, [0, 9, 4], [0, 0, 5], [2.5] * 3).remarks() == (
        "all 3 values are 2.5: they have no variance to fit",
    )


def test_changes_are_of_what_both_periods_have() -> None:
    before = gather(["a", "b", "c"], [1, 2, 3], [4, 5, 6], [1.0, 2.0, np.nan], error=[3, 3, 3])
    after = gather(["c", "a", "d"], [3, 1, 4], [6, 4, 7], [5.0, 4.0, 1.0], error=[4, 4, 4])
    change = subtract(after, before)
    assert (change.names, change.value.tolist(), change.error.tolist()) == (("a",), [3.0], [5.0])
    assert [tuple(each) for each in change.left_out] == [
        ("c", "no value in the earlier period"),
        ("d", "no value in the earlier period"),
        ("b", "no value in the later period"),
    ]
