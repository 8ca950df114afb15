"""
Evaluate the stored Keras graph of EQTransformer by Keras itself, and write what it gave.

Run by hand in an environment of its own (keras 3.11, torch), never by the tests::

    KERAS_BACKEND=torch PYTHONPATH=tests/support python keras_eqtransformer.py ORIGINAL.keras FOLDER

The three custom layers are written here from their configs and their papers. Two things differ from what
Keras 3.11 would do with the file. Dropout, which the graph keeps on, is off: its masks can't be compared. And
the hard sigmoid is that of Keras 2, in which the network was trained (slope 1/5, not 1/6); what that changes
is printed.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from seeded_networks import KEPT, synthetic_windows, tensor_of

HERE = Path(__file__).parent


def custom_layers() -> dict[str, Any]:
    """Write the custom layers for whichever backend Keras runs on."""
    import keras
    from keras import ops

    class LayerNormalization(keras.layers.Layer):
        def __init__(self, epsilon=1e-14, **options):
            known = ("name", "dtype", "trainable")
            super().__init__(**{key: options[key] for key in known if key in options})
            self.epsilon = epsilon

        def build(self, shape):
            self.gamma = self.add_weight(shape=(shape[-1],), name="gamma")
            self.beta = self.add_weight(shape=(shape[-1],), name="beta")

        def call(self, x):
            mean = ops.mean(x, axis=-1, keepdims=True)
            variance = ops.mean(ops.square(x - mean), axis=-1, keepdims=True)
            return (x - mean) / ops.sqrt(variance + self.epsilon) * self.gamma + self.beta

    class FeedForward(keras.layers.Layer):
        def __init__(self, units, **options):
            known = ("name", "dtype", "trainable")
            super().__init__(**{key: options[key] for key in known if key in options})
            self.units = units

        def build(self, shape):
            self.w1 = self.add_weight(shape=(shape[-1], self.units), name="W1")
            self.b1 = self.add_weight(shape=(self.units,), name="b1")
            self.w2 = self.add_weight(shape=(self.units, shape[-1]), name="W2")
            self.b2 = self.add_weight(shape=(shape[-1],), name="b2")

        def call(self, x, mask=None):
            return ops.matmul(ops.relu(ops.matmul(x, self.w1) + self.b1), self.w2) + self.b2

    class SeqSelfAttention(keras.layers.Layer):
        def __init__(self, units, attention_width=None, **options):
            known = ("name", "dtype", "trainable")
            super().__init__(**{key: options[key] for key in known if key in options})
            self.units, self.attention_width = units, attention_width

        def build(self, shape):
            channels = shape[-1]
            self.wt = self.add_weight(shape=(channels, self.units), name="Add_Wt")
            self.wx = self.add_weight(shape=(channels, self.units), name="Add_Wx")
            self.bh = self.add_weight(shape=(self.units,), name="Add_bh")
            self.wa = self.add_weight(shape=(self.units, 1), name="Add_Wa")
            self.ba = self.add_weight(shape=(1,), name="Add_ba")

        def call(self, x, mask=None):
            query = ops.expand_dims(ops.matmul(x, self.wt), 2)
            key = ops.expand_dims(ops.matmul(x, self.wx), 1)
            scores = ops.matmul(ops.tanh(query + key + self.bh), self.wa) + self.ba
            scores = ops.squeeze(scores, -1)
            strength = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
            if self.attention_width is not None:
                lower = np.arange(x.shape[1])[:, None] - self.attention_width // 2
                index = np.arange(x.shape[1])[None, :]
                inside = (lower <= index) & (index < lower + self.attention_width)
                strength = strength * ops.convert_to_tensor(inside.astype("float32"))
            weights = strength / (ops.sum(strength, axis=-1, keepdims=True) + 1e-7)
            return [ops.matmul(weights, x), weights]

    return {
        "LayerNormalization": LayerNormalization,
        "FeedForward": FeedForward,
        "SeqSelfAttention": SeqSelfAttention,
        "SpatialDropout1D": keras.layers.SpatialDropout1D,
    }


def model_of(config: str, *, slope: float = 1 / 5) -> Any:
    """Build the stored graph without dropout; ``slope`` is that of the hard sigmoid."""
    import keras
    from keras import ops

    model = keras.models.model_from_json(
        config.replace('"training": true', '"training": false'), custom_objects=custom_layers()
    )
    for layer in model.layers:
        for part in {getattr(layer, side, layer) for side in ("forward_layer", "backward_layer")}:
            if isinstance(part, keras.layers.LSTM):
                assert part.cell.recurrent_activation is keras.activations.hard_sigmoid
                part.cell.recurrent_activation = lambda x: ops.clip(slope * x + 0.5, 0.0, 1.0)
    return model


def outputs(model: Any, windows: np.ndarray) -> np.ndarray:
    """Return curves, shape (batch, 3, samples): detection, P, S."""
    curves = model.predict(windows.transpose(0, 2, 1), verbose=0)
    return np.stack([np.asarray(curve)[..., 0] for curve in curves], axis=1)


def shapes(model: Any) -> list[tuple[str, str, list[tuple[str, list[int]]]]]:
    """Return class, name, and the names and shapes of the weights of each layer that has any, in order."""
    listed = []
    for layer in model.layers:
        # Numbered, since both directions of a recurrent layer call their tensors the same.
        weights = [
            (f"{layer.name}/{number}/{weight.path.rsplit('/', 1)[-1]}", list(weight.shape))
            for number, weight in enumerate(layer.weights)
        ]
        if weights:
            listed.append((type(layer).__name__, layer.name, weights))
    return listed


def main(source: str, folder: str) -> None:
    """Write references of the stored weights and of seeded ones, and the names of the latter."""
    with zipfile.ZipFile(source) as archive:
        config = archive.read("config.json").decode()
        archive.extract("model.weights.h5", folder)
    windows = synthetic_windows(6000)
    stored = model_of(config)
    stored.load_weights(Path(folder) / "model.weights.h5")
    original = outputs(stored, windows)
    keras_3 = model_of(config, slope=1 / 6)
    keras_3.load_weights(Path(folder) / "model.weights.h5")
    print(
        "largest",
        original.max(axis=-1),
        "with gates of Keras 3",
        abs(outputs(keras_3, windows) - original).max(),
    )
    layers = shapes(stored)
    for layer, (_, _, weights) in zip((x for x in stored.layers if x.weights), layers, strict=True):
        layer.set_weights([tensor_of(name, shape, last=True) for name, shape in weights])
    seeded = outputs(stored, windows)
    print("seeded from", seeded.min(axis=-1), "to", seeded.max(axis=-1))
    np.savez_compressed(HERE / "eqtransformer.npz", original=original[..., KEPT], seeded=seeded[..., KEPT])
    (HERE / "eqtransformer_layers.json").write_text(
        "[\n" + ",\n".join(json.dumps(layer) for layer in layers) + "\n]\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
