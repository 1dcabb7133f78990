"""Compiled loops of learned orders: arrays in, arrays out."""
