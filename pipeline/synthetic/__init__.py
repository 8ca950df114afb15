"""
Synthetic archives with a known truth.

::

    records        what stations write of it, and what is true of it
    scenario       its stations and earthquakes, of a `config`
    earthquakes, ground, gravity, faults
                   what there is in it
    earth          what waves go through
    draws          random numbers by name

Everything here is a pure function of a seed and of absolute time: a station-day is the same bytes whoever
makes it, and whatever was made before. Nothing here may import travel times, tides or magnitudes from the
stages that are judged by it, nor they from here.
"""
