"""
Pictures of noise: arrays in, a matplotlib figure out.

``ppsd`` and ``spectrogram`` show levels of windows, ``band_series`` those of bands in time,
``magnitude_series`` and ``psd_curves`` what gravimeters have. matplotlib is imported where a figure is drawn.
"""
