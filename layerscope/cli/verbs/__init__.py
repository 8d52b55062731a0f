"""One module per verb, imported only when its verb is used: `run(arguments, output)` gives the exit status."""
