"""The earth between source and station: layers, their irregularities, and the rays through them."""
