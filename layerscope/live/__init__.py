"""A network that looks at pictures now: each frame's maps, classes and projections, beside what an atlas knows.

`open_engine` (live/opening.py) gives an `Engine` (live/engine.py) for an atlas and its network; what goes in and out
of it are the records of core/live.py, which need no torch. Frames come from elsewhere: there is no camera here.
"""
