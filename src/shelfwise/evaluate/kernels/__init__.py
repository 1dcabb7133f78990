"""Compiled parts of evaluation."""
