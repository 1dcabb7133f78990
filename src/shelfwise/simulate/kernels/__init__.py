"""Compiled loops: arrays in, arrays out, no checks. Imported late, for Numba takes its time to load."""
