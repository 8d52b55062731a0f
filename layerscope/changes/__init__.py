"""Two atlases beside each other: which is which, which units go together, and what has changed."""
