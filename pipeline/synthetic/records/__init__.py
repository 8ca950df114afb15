"""What stations write of all that, and what is true of it: traces, files, metadata, tables."""
