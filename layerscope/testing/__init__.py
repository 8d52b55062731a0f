"""The laws that every row keeps, ours and a guest's: one module a kind, called by whoever adds a row.

A law is a function that takes a row and raises AssertionError, with a sentence, where the row breaks it.
"""
