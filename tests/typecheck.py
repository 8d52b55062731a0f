"""How signatures are checked in the tests: a whole number passes for a float, as it does for every type checker."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
