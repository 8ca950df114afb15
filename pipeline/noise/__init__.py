"""
Noise of stations and gravimeters: kernels on arrays.

They know nothing of files, of Dask or of configs.
"""
