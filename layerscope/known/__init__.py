"""A network and pictures whose answers are known: filters set by hand, patterns planted at known places."""
