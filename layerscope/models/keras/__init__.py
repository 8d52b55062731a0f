"""Keras networks as torch networks: their files opened, their layers made anew channels-first, their names kept."""
