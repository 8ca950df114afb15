"""What goes wrong with real archives: the kinds, and how each is done to a clean record."""
