"""
A map of a level: its variogram, its grid, its values with their errors, and what to know of it.

All that a command needs between the values at stations and the files and figures of a map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.maps.coasts import coast_covariate, coast_distance_km, on_land
from pipeline.maps.fitting import check_design, fit_variogram, plausible_variograms
from pipeline.maps.kriging import (
    CrossValidation,
    cross_validate,
    drift_residual,
    krige_average,
    nearest_station_km,
)
from pipeline.maps.observations import Observations
from pipeline.maps.regions import CapRegion, Grid, Region, grid_of, region_around
from pipeline.maps.sphere import EARTH_RADIUS_KM, distances_km, unit_vectors
from pipeline.maps.variograms import (
    EmpiricalVariogram,
    Model,
    Variogram,
    Weighted,
    empirical_variogram,
)

__all__ = ["Drift", "FieldMap", "default_mask_km", "map_field"]

Array = NDArray[np.float64]
Drift = Literal["constant", "coast"]


@dataclass(frozen=True, kw_only=True)
class FieldMap:
    """
    A level over a region; made by `map_field`.

    Parameters
    ----------
    quantity, unit : str
        What is mapped, and its unit; a level of magnitude has none.
    observations : Observations
        The stations and their values.
    region : Region
    grid : Grid
        Its nodes, rows by latitude.
    drift : {"constant", "coast"}
        What the level is taken to be linear in.
    variogram : Variogram
        The most likely one.
    plausible : tuple of Weighted
        Those over which the map is averaged.
    empirical : EmpiricalVariogram
        Of the values less their drift.
    coefficients : ndarray, shape (terms,)
        Of the drift: the mean, or the level at the coast and its change per decade of 1 + distance / 10 km.
    value, std_error : ndarray, shape (rows, columns)
        Estimates and their standard errors; NaN where no station is near. They reach a few nodes beyond
        what is ``shown``, for contours to end where the mask does.
    edge_km : ndarray, shape (rows, columns)
        Distance to the edge of what is mapped, below zero within it.
    mask_km : float
        The farthest that a node is from its nearest station.
    shown : ndarray of bool, shape (rows, columns)
        Nodes of the map.
    land_only : bool
        Whether nodes at sea are left out.
    validation : CrossValidation or None
        None where there are too few stations, or no variance.
    remarks : tuple of str
        What a reader of the map should know.
    """

    quantity: str
    unit: str
    observations: Observations
    region: Region
    grid: Grid
    drift: Drift
    variogram: Variogram
    plausible: tuple[Weighted, ...]
    empirical: EmpiricalVariogram
    coefficients: Array
    value: Array
    std_error: Array
    edge_km: Array
    mask_km: float
    shown: NDArray[np.bool_]
    land_only: bool
    validation: CrossValidation | None
    remarks: tuple[str, ...]

    def masked(self, array: Array) -> Array:
        """Return an array over the grid with NaN where the map shows nothing."""
        return np.where(self.shown, array, np.nan)


def map_field(
    observations: Observations,
    region: Region | None = None,
    *,
    quantity: str,
    unit: str = "",
    step_deg: float = 0.25,
    drift: Drift = "constant",
    model: Model = "exponential",
    variogram: Variogram | None = None,
    mask_km: float | None = None,
    land_only: bool = False,
    margin_km: float = 200.0,
) -> FieldMap:
    """
    Map a level.

    Parameters
    ----------
    observations : Observations
        At least three; stations outside the region count, too.
    region : Region, optional
        Around the stations, with a margin, unless given.
    quantity, unit : str
        What the values are: ``"SNM", ""`` or ``"level from 4 to 8 s", "dB"``.
    step_deg : float
        Of the grid.
    drift : {"constant", "coast"}
        ``coast`` takes the level as linear in the logarithm of the distance to the coast, which is held at
        the stations' least and largest beyond them. Where the stations do not differ in it, a remark says
        so and the drift is constant.
    model : {"exponential", "spherical"}
        Of the variogram.
    variogram : Variogram, optional
        One that is known, not to be fitted.
    mask_km : float, optional
        How far from a station the map reaches; see `default_mask_km`.
    land_only : bool
        Leave the sea out.
    margin_km : float
        Around the stations, where no region is given.

    Raises
    ------
    ConfigError
        There are fewer than three stations, none of them reaches into the region, or an argument is wrong.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> places = np.random.default_rng(1).uniform((95, 25), (115, 40), (30, 2)).T
    >>> level = -120 + 0.5 * (places[0] - 105)
    >>> stations = gather([f"S{i:02}" for i in range(30)], *places, level)
    >>> made = map_field(stations, quantity="level", unit="dB", step_deg=1.0)
    >>> made.value.shape, made.remarks
    ((18, 24), ('the range is at its bound of 1814 km: it may be longer',))
    """
    if drift not in ("constant", "coast"):
        raise ConfigError(f"drift of a map should be 'constant' or 'coast', got {drift!r}")
    design, drift, dropped = _design(observations, drift)
    if variogram is None:
        variogram = fit_variogram(observations, design=design, model=model)
        plausible = plausible_variograms(observations, variogram, design=design)
    else:
        plausible = (Weighted(1.0, variogram),)
    coefficients, residual = drift_residual(observations, variogram, design=design)
    reach_km = default_mask_km(observations, variogram) if mask_km is None else mask_km
    region = region or region_around(
        observations.longitude_deg, observations.latitude_deg, margin_km=margin_km
    )
    grid = grid_of(region, step_deg=step_deg)
    edge_km = _edge(observations, region, grid, reach_km)
    shown = (edge_km <= 0) & grid.inside & (on_land(*grid.mesh()) if land_only else True)
    if not shown.any():
        raise ConfigError(f"no node of the region lies within {reach_km:.0f} km of a station: nothing to map")
    value, std_error = _estimates(observations, plausible, grid, design, edge_km, step_deg)
    varies = variogram.sill + variogram.nugget > 0 and len(observations) >= design.shape[1] + 2
    return FieldMap(
        quantity=quantity,
        unit=unit,
        observations=observations,
        region=region,
        grid=grid,
        drift=drift,
        variogram=variogram,
        plausible=plausible,
        empirical=empirical_variogram(observations, residual=residual),
        coefficients=coefficients,
        value=value,
        std_error=std_error,
        edge_km=edge_km,
        mask_km=float(reach_km),
        shown=shown,
        land_only=land_only,
        validation=cross_validate(observations, variogram, design=design) if varies else None,
        remarks=_remarks(observations, dropped, variogram),
    )


def default_mask_km(observations: Observations, variogram: Variogram) -> float:
    """
    Return how far from a station a map reaches unless told: half the range of its variogram.

    That is where the correlation has fallen to 0.22 (exponential) or 0.31 (spherical). Ranges are poorly
    known: it is never more than twice the distance that nine stations of ten have to their nearest
    neighbour, nor less than that of five of ten.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> row = gather(list("abcd"), [0, 1, 2, 3], [0, 0, 0, 0], [1.0, 2.0, 3.0, 4.0])
    >>> reach = [Variogram(model="spherical", sill=1, range_km=km, nugget=0) for km in (100, 300, 3000)]
    >>> [round(default_mask_km(row, each)) for each in reach]
    [111, 150, 222]
    """
    distance = distances_km(observations.vectors, observations.vectors)
    distance[distance <= 0] = np.inf
    nearest = distance.min(axis=1)
    nearest = nearest[np.isfinite(nearest)]
    if not len(nearest):
        return variogram.range_km / 2
    half, most = np.quantile(nearest, (0.5, 0.9))
    return float(np.clip(variogram.range_km / 2, half, 2 * most))


def _remarks(observations: Observations, dropped: str, variogram: Variogram) -> tuple[str, ...]:
    found = [f"{each.name} is left out: {each.reason}" for each in observations.left_out]
    return (*found, *observations.remarks(), *(each for each in (dropped, variogram.reason) if each))


def _design(observations: Observations, drift: Drift) -> tuple[Array, Drift, str]:
    """Return the drift at the stations, which it is, and why it is not the one that was asked for."""
    constant = np.ones((len(observations), 1))
    if drift == "constant":
        return constant, drift, ""
    covariate = coast_covariate(coast_distance_km(observations.longitude_deg, observations.latitude_deg))
    design = np.column_stack([constant, covariate])
    try:
        check_design(design, len(observations))
    except ConfigError:
        count = len(observations)
        reason = f"the {count} stations do not tell the distance to the coast from the mean: it is left out"
        return constant, "constant", reason
    return design, drift, ""


def _estimates(
    observations: Observations,
    plausible: tuple[Weighted, ...],
    grid: Grid,
    design: Array,
    edge_km: Array,
    step_deg: float,
) -> tuple[Array, Array]:
    """Krige the nodes that are shown, and those around them that contours need to end well."""
    margin_km = 3 * math.radians(step_deg) * EARTH_RADIUS_KM
    near = edge_km <= margin_km
    longitude, latitude = (axis[near] for axis in grid.mesh())
    target = np.ones((len(longitude), 1))
    if design.shape[1] > 1:
        covariate = coast_covariate(coast_distance_km(longitude, latitude))
        covariate = np.clip(covariate, design[:, 1].min(), design[:, 1].max())
        target = np.column_stack([target, covariate])
    found = krige_average(observations, plausible, longitude, latitude, design=design, target_design=target)
    value, std_error = np.full(near.shape, np.nan), np.full(near.shape, np.nan)
    value[near], std_error[near] = found
    return value, std_error


def _edge(observations: Observations, region: Region, grid: Grid, reach_km: float) -> Array:
    if not (math.isfinite(reach_km) and reach_km > 0):
        raise ConfigError(f"mask_km should be a finite number above 0, got {reach_km}")
    longitude, latitude = grid.mesh()
    edge = nearest_station_km(observations, longitude, latitude) - reach_km
    if isinstance(region, CapRegion):
        centre = unit_vectors([region.longitude], [region.latitude])
        points = unit_vectors(longitude, latitude).reshape(-1, 3)
        out = distances_km(points, centre).reshape(edge.shape) - region.radius_km
        edge = np.maximum(edge, out)
    return np.asarray(edge)
