"""What the ground does without earthquakes: noise as spectra design it, transients, landslides."""
