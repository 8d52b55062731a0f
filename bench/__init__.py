"""How fast layerscope is beside what a user would otherwise run; `python -m bench` keeps a bundle and prints its table.

Every number is a median over alternating repeats and every claim a ratio of two things that ran in turns on the same
machine: nothing here asserts a time. A measurement is a function that yields lines (`report.py`), and a row of the
table in `__main__.py`; what it took in every turn is kept (`bundle.py`), and tables of the docs are made of that.
"""
