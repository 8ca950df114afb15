"""
Phase picking: networks, their weights, and what turns their curves into picks.

Networks know nothing of files, of Dask or of configs; their weights are read and written by
`pipeline.picking.weights`.
"""
