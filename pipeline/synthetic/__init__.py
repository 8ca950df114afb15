"""
Synthetic archives with a known truth.

Everything here is a pure function of a seed and of absolute time: a station-day is the same bytes whoever
makes it, and whatever was made before. Nothing here may import travel times, tides or magnitudes from the
stages that are judged by it, nor they from here.
"""
