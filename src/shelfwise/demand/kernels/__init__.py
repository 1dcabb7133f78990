"""Loops over panels of demand that NumPy cannot express; arrays in, arrays out."""
