"""Classical methods for single series, fitted to whole panels at once by own kernels."""
