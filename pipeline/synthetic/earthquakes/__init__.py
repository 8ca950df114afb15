"""Earthquakes: where, when and how large, what leaves the source, what arrives, and its magnitude."""
