"""
Every error that ``cluster`` raises on purpose.

::

    ClusterError
    ├── ProfileError(ValueError)         a profile is wrong: exit status 2
    └── ClusterStartError(RuntimeError)  a cluster can't be started or reached: exit status 1

The tree stands apart from `pipeline.errors`, since ``cluster`` and ``pipeline`` never import each other; the
command line catches the roots of both.
"""

__all__ = ["ClusterError", "ClusterStartError", "ProfileError"]


class ClusterError(Exception):
    """Base of all errors that ``cluster`` raises on purpose."""


class ProfileError(ClusterError, ValueError):
    """A profile names a kind, a key or a value that can't be used."""


class ClusterStartError(ClusterError, RuntimeError):
    """A Dask cluster can't be started or reached."""
