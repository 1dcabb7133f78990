"""Measurements on real data: adapters into data folders, scores, and the log of committed results."""
