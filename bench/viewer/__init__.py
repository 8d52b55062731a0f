"""The viewer's budgets, measured in a real browser: `python -m bench.viewer` prints one table of limits and what was
found."""
