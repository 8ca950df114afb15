"""
Where a stage's results lie: one folder per product, one immutable file per block.

::

    products/pick-3f9a1c22/                            the stage, and a digest of its options
        CI.CCC..HH/2020.03.5f0c9a3e77d1.parquet        the block, and 12 digits of its fingerprint
        ledger/                                        what was done (`workflows.ledger`)
        lease/                                         who writes it (`workflows.lease`)

Other options give another folder, other inputs another file: nothing that an older run points to is ever
written again, except with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from pipeline.objects import ObjectStore
from workflows.lease import Lease
from workflows.ledger import Ledger, Status
from workflows.plan import Task, fingerprint

__all__ = ["Product"]

_OPTION_DIGITS = 8
_FINGERPRINT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Product:
    """
    A folder of block files. It pickles, so that workers write into it.

    Parameters
    ----------
    store : ObjectStore
        The product's own folder. `Product.of` finds it beside an archive or in a workspace.
    suffix : str
        How the names of block files end.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> workspace = open_objects("memory://product-example")
    >>> product = Product.of(workspace, "pick", {"threshold": 0.3})
    >>> product.store.url
    'memory://product-example/products/pick-67887ff8'
    >>> task = Task.of("CI.CCC..HH/2020.03", days=["5f0c"])
    >>> product.write(task, b"PAR1")
    4
    >>> with product.ledger() as ledger:
    ...     ledger.record(task.result())
    >>> list(product.files())
    [('CI.CCC..HH/2020.03', 'CI.CCC..HH/2020.03.cb2f36a379e7.parquet')]
    """

    store: ObjectStore
    suffix: str = ".parquet"

    @classmethod
    def of(cls, workspace: ObjectStore, stage: str, options: Any, *, suffix: str = ".parquet") -> Self:
        """Name the product of a stage with these options; nothing is created yet."""
        digits = fingerprint(options)[:_OPTION_DIGITS]
        return cls(workspace.child(f"products/{stage}-{digits}"), suffix)

    def ledger(self, lease: Lease | None = None) -> Ledger:
        """Open the product's ledger; give the lease to write it."""
        return Ledger(self.store.child("ledger"), lease=lease)

    def lease(self, *, expiry_seconds: float = 120.0) -> Lease:
        """Return the product's lease, not yet taken."""
        return Lease(self.store, expiry_seconds=expiry_seconds)

    def name(self, key: str, fingerprint: str) -> str:
        """Name the file of a block, below the product's folder."""
        return f"{key}.{fingerprint[:_FINGERPRINT_DIGITS]}{self.suffix}"

    def write(self, task: Task, data: bytes) -> int:
        """Write a block's file whole; return its size in bytes. The same task always has the same bytes."""
        self.store.write(self.name(task.key, task.fingerprint), data)
        return len(data)

    def read(self, key: str, fingerprint: str) -> bytes:
        """Return a block's file."""
        return self.store.read(self.name(key, fingerprint))

    def files(self) -> Iterator[tuple[str, str]]:
        """Iterate over the blocks that are there, each with the name of its current file."""
        for key, latest in self.ledger().latest().items():
            if latest.status != Status.FAILED:
                yield key, self.name(key, latest.fingerprint)
