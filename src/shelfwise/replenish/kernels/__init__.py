"""Compiled loops of the policies: arrays in, arrays out, no checks. Imported late, for Numba loads slowly."""
