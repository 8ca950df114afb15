"""
Krige the same stations with PyKrige and gstools: made what test_kriging.py compares with.

    python -m venv peers && peers/bin/pip install pykrige==1.7.3 gstools==1.7.0
    peers/bin/python tests/pipeline/maps/kriging_peers.py

PyKrige knows great-circle distances, but neither a drift with them nor errors of stations. gstools has both,
and takes models on the sphere as functions of the chord: the same exponential is written that way.
"""

import numpy as np

RANGE_KM, SILL, NUGGET = 1500.0, 2.0, 0.3
RADIUS_KM = 6371.0088
LON = np.array(
    [75.2, 80.1, 87.6, 91.1, 98.5, 102.9, 104.1, 106.6, 109.2, 112.4, 114.3, 116.4, 117.2, 121.4, 126.6]
)
LAT = np.array([39.5, 32.5, 43.8, 29.7, 39.8, 25.0, 30.7, 26.6, 34.3, 37.9, 30.6, 39.9, 31.8, 31.2, 45.7])
VALUE = np.array([2.2, 1.7, 3.0, 0.9, 2.6, 2.0, 1.2, 2.4, 1.9, 3.3, 2.6, 3.9, 3.1, 4.6, 3.5])
ERROR = np.array([0.1, 0.2, 0.1, 0.1, 0.3, 0.2, 0.2, 0.5, 0.1, 0.2, 0.2, 0.1, 0.4, 0.3, 0.2])
COVARIATE = np.array([2.4, 2.2, 2.4, 1.9, 2.2, 1.7, 2.0, 1.7, 1.9, 1.5, 1.7, 1.2, 1.5, 0.4, 1.7])
TO_LON, TO_LAT = np.array([85.0, 95.5, 104.1, 110.0, 122.0]), np.array([36.0, 35.0, 30.7, 33.3, 40.0])
TO_COVARIATE = np.array([2.3, 2.2, 2.0, 1.8, 0.6])


def main() -> None:
    """Print values and standard errors of both."""
    from gstools import CovModel, krige
    from pykrige.ok import OrdinaryKriging

    np.set_printoptions(precision=9, floatmode="fixed")
    scale_deg = np.degrees(RANGE_KM / RADIUS_KM / -np.log(0.05))
    given = {"psill": SILL, "range": 3 * scale_deg, "nugget": NUGGET}
    found = OrdinaryKriging(
        LON,
        LAT,
        VALUE,
        variogram_model="exponential",
        variogram_parameters=given,
        coordinates_type="geographic",
    )
    value, variance = found.execute("points", TO_LON, TO_LAT)
    print("pykrige", np.asarray(value), np.sqrt(np.asarray(variance)))

    class GreatCircle(CovModel):
        """Exponential in the angle of a chord on the unit sphere."""

        def cor(self, h: np.ndarray) -> np.ndarray:
            return np.exp(-2 * np.arcsin(np.minimum(h / 2, 1.0)) / np.radians(scale_deg))

    model = GreatCircle(latlon=True, var=SILL, len_scale=1.0, rescale=1.0, nugget=NUGGET, geo_scale=1.0)
    for name, drift in (("ordinary", {}), ("drift", {"ext_drift": COVARIATE})):
        kind = krige.ExtDrift if drift else krige.Ordinary
        solver = kind(model, (LAT, LON), VALUE, cond_err=ERROR**2 + NUGGET, exact=False, **drift)
        target = {"ext_drift": TO_COVARIATE} if drift else {}
        value, variance = solver((TO_LAT, TO_LON), mesh_type="unstructured", **target)
        print("gstools", name, value, variance)


if __name__ == "__main__":
    main()
