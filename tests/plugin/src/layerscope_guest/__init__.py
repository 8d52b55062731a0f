"""What a package of somebody else's looks like that adds to layerscope: one module a row, named in pyproject.toml."""
