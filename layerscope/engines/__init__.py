"""Engines that make pieces in other processes, on this machine or on others; see `core/engines.py`."""
