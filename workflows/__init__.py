"""What a user runs: plans, the Dask boundary and the command line."""
