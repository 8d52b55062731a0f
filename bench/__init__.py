"""How fast layerscope is beside what a user would otherwise run; `python -m bench` prints one table.

Every number is a median over alternating repeats and every claim a ratio of two things that ran in turns on the same
machine: nothing here asserts a time.
"""
