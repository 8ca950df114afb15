"""
Maps of any level that stations have: kriging on the sphere, with its errors, and contrasts as numbers.

::

    values at stations ─► observations ─┐                       ┌─► files      NetCDF and Zarr, CF conventions
    a region ─► its grid ───────────────┼─► fields.map_field ───┼─► geojson    stations and contours
    coastlines ─► coasts ─► covariate ──┘   │                   └─► figures    a map for a paper
                            variograms ─► kriging
                                     └──► contrasts             coast and interior, polygons: numbers

Arrays in, arrays out: where the levels come from, of which period and band, is the caller's.
"""
