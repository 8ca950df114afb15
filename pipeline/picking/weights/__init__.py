"""
Weights of networks: safetensors beside a card, importers of other people's files, and a store of them.

Examples
--------
>>> import tempfile
>>> from pathlib import Path
>>> from pipeline.picking.networks import build
>>> from pipeline.picking.weights.tensors import tensors_of
>>> store = Store(Path(tempfile.mkdtemp()))
>>> card = Card(name="untrained", architecture="phasenet", thresholds={"P": 0.3, "S": 0.3}, overlap=1500)
>>> store.save(card, tensors_of(build("phasenet", seed=1))).key
'untrained@1'
>>> network, card = store.load("untrained")
>>> type(network).__name__, card.settings["components"], len(card.digest)
('PhaseNet', 'ZNE', 32)
"""

from pipeline.picking.weights.cards import Card, network_settings
from pipeline.picking.weights.importing import import_weights
from pipeline.picking.weights.store import Store, default_folder
from pipeline.picking.weights.tensors import digest_of

__all__ = ["Card", "Store", "default_folder", "digest_of", "import_weights", "network_settings"]
