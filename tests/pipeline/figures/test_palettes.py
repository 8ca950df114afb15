"""Colours stay apart for eyes with and without all three cones, and continuous maps run one way."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from pipeline.figures.coverage import COMPLETE, day_colours
from pipeline.figures.palettes import CATEGORICAL, PAPER, diverging, sequential

Array = NDArray[np.float64]

# Machado, Oliveira and Fernandes (2009), full severity: from linear RGB to linear RGB.
VISIONS = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colours: list[str] | Array, vision: str = "all cones") -> Array:
    """CIE Lab (D65) of sRGB colours as an eye sees them; (n, 3)."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ VISIONS[vision].T, 0, 1)
    xyz = seen @ RGB_TO_XYZ.T / RGB_TO_XYZ.sum(axis=1)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def ciede2000(one: Array, two: Array) -> Array:
    """Difference of Lab colours (..., 3) as CIE 142 defines it."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(two, -1, 0)
    c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    a1, a2 = (a * (1.5 - 0.5 * np.sqrt(c7 / (c7 + 25**7))) for a in (a1, a2))
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    mean_h = np.where(grey, h1 + h2, (h1 + turn / 2) % 360)
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    rotation = (
        -2
        * np.sqrt(mean_c**7 / (mean_c**7 + 25**7))
        * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, d_h / s_h
    return np.sqrt(d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h)


# Sharma, Wu and Dalal (2005), table 1, pairs 1, 7, 10, 17, 21 and 29.
@pytest.mark.parametrize(
    ("one", "two", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0010), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (50, 3.2592, 0.3350), 1.0000),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ],
)
def test_our_ruler_gives_published_differences(one: object, two: object, published: float) -> None:
    assert ciede2000(np.array(one, float), np.array(two, float)) == pytest.approx(published, abs=1e-4)


def test_our_eyes_see_white_as_white() -> None:
    for vision in VISIONS:
        assert lab([PAPER], vision)[0] == pytest.approx([100, 0, 0], abs=0.05)


def closest(colours: list[str] | Array, vision: str) -> float:
    seen = lab(colours, vision)
    one, two = np.triu_indices(len(seen), 1)
    return float(ciede2000(seen[one], seen[two]).min())


@pytest.mark.parametrize("vision", VISIONS)
def test_categories_differ(vision: str) -> None:
    assert closest(list(CATEGORICAL), vision) > 16  # Okabe and Ito's eight: 10.9
    assert closest(list(CATEGORICAL[:4]), vision) > 18
    assert ciede2000(lab(list(CATEGORICAL), vision), lab([PAPER], vision)).min() > 18


@pytest.mark.parametrize("vision", VISIONS)
def test_sequential_runs_from_light_to_dark(vision: str) -> None:
    seen = lab(sequential()(np.linspace(0, 1, 256)), vision)
    assert (np.diff(seen[:, 0]) < 0).all()
    assert seen[0, 0] > 95
    assert seen[-1, 0] < 15
    steps = ciede2000(seen[:-1], seen[1:])
    assert steps.max() < 2 * steps.mean()


@pytest.mark.parametrize("vision", VISIONS)
def test_diverging_is_light_in_the_middle_and_differs_at_its_ends(vision: str) -> None:
    seen = lab(diverging()(np.linspace(0, 1, 256)), vision)
    assert (np.diff(seen[:128, 0]) > 0).all()
    assert (np.diff(seen[128:, 0]) < 0).all()
    assert abs(seen[0, 0] - seen[-1, 0]) < 6
    below, above = seen[:96], seen[::-1][:96]
    assert ciede2000(below, above).min() > 16


@pytest.mark.parametrize("vision", VISIONS)
def test_days_of_the_wall_chart_differ(vision: str) -> None:
    days = day_colours(np.array([np.nan, 1e-9, COMPLETE / 2, COMPLETE - 1e-9, 1.0]))[:, :3] / 255
    assert closest(days, vision) > 11
    assert ciede2000(lab(days, vision), lab([PAPER], vision)).min() > 8
    partial = lab(day_colours(np.linspace(1e-9, COMPLETE - 1e-9, 50))[:, :3] / 255, vision)
    assert (np.diff(partial[:, 0]) > 0).all()
    assert ciede2000(partial, lab(days[-1:], vision)).min() > 25
