"""Fields and lines of a map: over the antimeridian, around a pole, masked, thinned."""

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.report import Field, Outlines
from pipeline.report.fields import field_at, field_cells, lines_payload, visible_pieces
from pipeline.report.packing import Store
from pipeline.report.projection import Projection


def test_field_over_the_antimeridian_is_read_on_both_sides() -> None:
    field = Field(
        longitude_deg=[178.0, 179.0, -180.0, -179.0],
        latitude_deg=[1.0, 0.0],
        values=np.arange(8.0).reshape(2, 4),
    )
    assert field.longitude_deg.tolist() == [178, 179, 180, 181]
    found = field_at(field, np.array([179.2, -179.4, 180.6, 170.0]), np.array([1.0, 0.2, 0.2, 0.0]))
    assert found[:3].tolist() == [1, 7, 7]
    assert np.isnan(found[3])


def test_masked_cells_are_no_places() -> None:
    values = np.full((2, 2), np.nan)
    values[0, 1] = 1
    longitude, latitude = field_cells(Field(longitude_deg=[0, 1], latitude_deg=[5, 6], values=values))
    assert (longitude.tolist(), latitude.tolist()) == ([1], [5])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((2, 2))}, r"values should have the shape \(latitudes, longitudes\) = \(2, 3\)"),
        ({"standard_error": np.zeros(3)}, r"standard_error should have the shape"),
        ({"longitude_deg": [0, 1, 3]}, "longitude_deg should be evenly spaced, got steps from 1.0 to 2.0"),
        ({"latitude_deg": [0, np.nan]}, "latitude_deg should be evenly spaced"),
        ({"latitude_deg": [89, 91]}, "latitude_deg should lie between -90 and 90"),
        ({"latitude_deg": [89], "values": np.zeros((1, 3))}, "two values or more"),
    ],
)
def test_field_of_another_shape_is_refused(changes: dict[str, Any], message: str) -> None:
    parts: dict[str, Any] = {"longitude_deg": [0, 1, 2], "latitude_deg": [0, 1], "values": np.zeros((2, 3))}
    with pytest.raises(ConfigError, match=message):
        Field(**parts | changes)


NEAR = Projection("laea", 0.0, 0.0, 10.0)


def test_lines_are_cut_where_nobody_looks() -> None:
    across = np.stack([np.linspace(-90, 90, 181), np.zeros(181)], axis=1)
    (piece,) = visible_pieces(Outlines([across]), NEAR)
    # 1.6 radii and 2 degrees, and a point beyond on either side.
    assert (piece[0, 0], piece[-1, 0]) == (-18, 18)
    far = across + np.array([180.0, 0.0])
    assert len(visible_pieces(Outlines([far[80:100]]), NEAR)) == 0


def test_gap_parts_a_line() -> None:
    path = [[0.0, 0.0], [1.0, 1.0], [np.nan, np.nan], [2.0, 2.0], [3.0, 3.0], [4.0, 3.0]]
    assert [len(piece) for piece in visible_pieces(Outlines([path], "border"), NEAR)] == [2, 3]


def test_points_that_fall_together_are_one() -> None:
    store = Store()
    path = [[0.0, 0.0], [0.0001, 0.0], [0.0002, 0.0], [5.0, 0.0], [9.0, 1.0]]
    (payload,) = lines_payload([Outlines([path, path[:2]], "polygon")], NEAR, store)
    assert payload["kind"] == "polygon"
    assert payload["lengths"] == [3]


def test_path_of_another_shape_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"path 1 should have the shape \(points, 2\), got \(3,\)"):
        Outlines([[[0.0, 0.0]], [1.0, 2.0, 3.0]])
    with pytest.raises(ConfigError, match="kind should be one of coast, border, polygon"):
        Outlines([], "river")  # type: ignore[arg-type]
