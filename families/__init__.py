"""A sweep over the families of networks that people use: what opens, what is only scanned, what is refused, and why."""
