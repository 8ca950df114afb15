"""
The store: readers of source files, the day grid, station-days in Zarr, and what is read back from them.

From a source file to the archive and back::

    readers/   a file            -> pieces (evenly sampled runs with exact times)
    grid       times             <-> samples of a day
    placement  pieces            -> runs on the grid of one day
    merge      runs of one day   -> one array per component, segments, and what did not fit
    shard      arrays            <-> the bytes of a Zarr shard
    blocks     segments          <-> one Parquet file per block
    store      all of these      <-> an archive under a URL
    selection  a span            -> a lazy xarray.Dataset, dask, obspy
    export     a span            -> miniSEED; sacfiles -> SAC; netcdffiles -> NetCDF
    documents  StationXML        -> one document; metadata_files: other forms -> StationXML
"""

from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.selection import Selection

__all__ = ["Archive", "Selection", "open_archive"]
