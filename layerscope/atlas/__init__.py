"""The atlas: one SQLite file that holds what a network's units detect. Opened without torch."""
