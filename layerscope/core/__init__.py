"""The words that all rooms share: geometry, records and errors. Plain Python and NumPy only."""
