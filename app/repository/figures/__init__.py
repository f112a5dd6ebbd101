"""Figures that are kept, so that counts need not look at rows."""
