"""Compiled loops of reconciliation."""
