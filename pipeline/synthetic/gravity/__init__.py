"""What a gravimeter sees: tides, pressure, free oscillations, drift, steps, noise; and its files in text."""
