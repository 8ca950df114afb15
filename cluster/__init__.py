"""Where it runs: a Dask cluster of whichever kind, from one profile."""
