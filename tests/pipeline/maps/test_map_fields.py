"""Maps whole: what they show, what they hide, what they say of odd stations."""

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.maps.coasts import coast_covariate, coast_distance_km, on_land
from pipeline.maps.fields import FieldMap, map_field
from pipeline.maps.kriging import nearest_station_km
from pipeline.maps.observations import gather
from pipeline.maps.regions import BoxRegion, CapRegion
from pipeline.maps.variograms import Variogram

MODEL = Variogram(model="exponential", sill=4.0, range_km=1500.0, nugget=0.1)


def chinese_map(**options: object) -> FieldMap:
    rng = np.random.default_rng(0)
    longitude, latitude = rng.uniform(85, 125, 25), rng.uniform(22, 45, 25)
    level = -2.0 * coast_covariate(coast_distance_km(longitude, latitude)) + rng.normal(0, 0.2, 25)
    given = gather([f"S{i}" for i in range(25)], longitude, latitude, level)
    arguments: dict[str, object] = {"quantity": "SNM", "step_deg": 1.0} | options
    return map_field(given, BoxRegion(75, 15, 135, 55), **arguments)  # type: ignore[arg-type]


def test_it_shows_what_has_a_station_near() -> None:
    made = chinese_map(mask_km=400.0)
    longitude, latitude = made.grid.mesh()
    near = nearest_station_km(made.observations, longitude, latitude) <= 400
    assert made.shown.tolist() == near.tolist()
    assert np.isfinite(made.value[made.shown]).all()
    assert np.isfinite(made.masked(made.value)).tolist() == near.tolist()
    assert np.isnan(made.value).any()


def test_land_only() -> None:
    made, whole = chinese_map(land_only=True), chinese_map()
    longitude, latitude = made.grid.mesh()
    assert made.shown.tolist() == (whole.shown & on_land(longitude, latitude)).tolist()
    assert 0 < made.shown.sum() < whole.shown.sum()


def test_the_coast_explains_what_it_should() -> None:
    made, plain = chinese_map(drift="coast"), chinese_map()
    assert made.coefficients[1] == pytest.approx(-2.0, abs=0.3)
    assert made.validation is not None
    assert plain.validation is not None
    assert made.validation.rms_error < 0.5 * plain.validation.rms_error
    # Far out at sea the drift is that of the station nearest to the coast, not of the sea.
    assert np.nanmax(made.value) < made.coefficients[0] + 0.5


def test_a_coast_that_says_nothing_is_left_out() -> None:
    given = gather(list("abcd"), [-135, -130, -125, -128], [-45, -50, -40, -48], [1.0, 2.0, 3.0, 2.5])
    made = map_field(given, quantity="level", drift="coast", step_deg=1.0)
    assert made.drift == "constant"
    assert (
        "the 4 stations do not tell the distance to the coast from the mean: it is left out" in made.remarks
    )


def test_over_the_antimeridian_it_is_the_same_as_elsewhere() -> None:
    rng = np.random.default_rng(3)
    x, y, level = rng.uniform(-8, 8, 20), rng.uniform(-45, -35, 20), rng.normal(size=20)
    names = [f"S{i}" for i in range(20)]
    made = [
        map_field(
            gather(names, turn + x, y, level), quantity="level", step_deg=0.5, margin_km=300, variogram=MODEL
        )
        for turn in (180.0, 20.0)
    ]
    assert made[0].grid.longitude_deg[-1] > 180
    np.testing.assert_allclose(made[0].value, made[1].value, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(made[0].std_error, made[1].std_error, rtol=1e-6)


def test_around_a_pole_it_has_no_seam() -> None:
    rng = np.random.default_rng(4)
    given = gather(
        [f"S{i}" for i in range(20)],
        rng.uniform(-180, 180, 20),
        -90 + rng.uniform(1, 25, 20),
        rng.normal(size=20),
    )
    made = map_field(
        given, CapRegion(0, -90, 3000), quantity="level", step_deg=1.0, variogram=MODEL, mask_km=5000
    )
    assert made.shown[made.grid.inside].all()
    assert np.ptp(made.value[0]) < 1e-9  # the pole itself
    across = np.abs(made.value[:, 0] - made.value[:, -1])[1:20]
    beside = np.abs(np.diff(made.value, axis=1))[1:20]
    assert across.max() <= beside.max()


def test_a_known_variogram_is_not_fitted() -> None:
    made = chinese_map(variogram=MODEL)
    assert made.variogram == MODEL
    assert [each.weight for each in made.plausible] == [1.0]


def test_three_stations() -> None:
    given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    made = map_field(given, quantity="level", step_deg=0.5)
    assert made.validation is not None
    assert len(made.remarks) == 1
    assert made.remarks[0].endswith("of the variance: 3 stations are too few to fit them")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_stations(count: int) -> None:
    given = gather(list("ab")[:count], [0, 2][:count], [0, 0][:count], [1.0, 3.0][:count])
    with pytest.raises(ConfigError, match=f"a map needs at least 3 stations, got {count}"):
        map_field(given, BoxRegion(-5, -5, 5, 5), quantity="level")


def test_stations_without_a_value_are_said() -> None:
    given = gather(list("abcd"), [0, 2, 1, 3], [0, 0, 2, 3], [1.0, 3.0, 5.0, np.nan])
    assert "d is left out: its value is nan" in map_field(given, quantity="level", step_deg=1.0).remarks


def test_equal_values() -> None:
    given = gather([f"S{i}" for i in range(12)], np.arange(12), np.arange(12) % 5, np.full(12, -120.0))
    made = map_field(given, quantity="level", unit="dB", step_deg=1.0)
    assert np.allclose(made.value[made.shown], -120)
    assert np.isnan(made.std_error).all()
    assert made.validation is None
    assert "all 12 values are -120: they have no variance to fit" in made.remarks


def test_stations_on_a_line_and_at_one_place() -> None:
    level = np.random.default_rng(0).normal(size=12)
    row = gather([f"S{i}" for i in range(12)], np.linspace(0, 20, 12), np.zeros(12), level)
    made = map_field(row, quantity="level", step_deg=1.0)
    assert "the 12 stations lie on a line: across it the map says little" in made.remarks
    assert np.isfinite(made.value[made.shown]).all()
    heap = gather([f"S{i}" for i in range(12)], np.full(12, 5.0), np.full(12, 5.0), level)
    made = map_field(heap, quantity="level", step_deg=1.0)
    assert any("12 of 12 stations share a place" in each for each in made.remarks)
    assert np.allclose(made.value[made.shown], level.mean(), atol=1e-3)


def test_wrong_calls() -> None:
    with pytest.raises(ConfigError, match="drift of a map should be 'constant' or 'coast', got 'linear'"):
        chinese_map(drift="linear")
    with pytest.raises(ConfigError, match="mask_km should be a finite number above 0, got -5"):
        chinese_map(mask_km=-5)
    given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    with pytest.raises(
        ConfigError, match="no node of the region lies within 100 km of a station: nothing to map"
    ):
        map_field(given, BoxRegion(100, 20, 120, 40), quantity="level", mask_km=100, step_deg=1.0)
