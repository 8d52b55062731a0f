"""Tests that hold the docs to the code."""
