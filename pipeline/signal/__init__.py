"""
Signals: kernels on arrays, one family per module.

Time runs along the last axis; whatever stands before it (components, windows) is carried along. A kernel
never changes its input, which may be read-only. It works in float64; float32 comes back as float32 and
everything else as float64. Frequencies are in Hz, spectra follow ``X(f) = Σ x(t) exp(-2πift)``.
"""
