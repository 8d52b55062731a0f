"""The same laws at full size: published networks at their own input size, run by `make laws`."""
