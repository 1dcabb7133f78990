"""Compiled loops of the exact solvers: arrays in, arrays out."""
