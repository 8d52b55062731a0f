"""What the tests hold the package against: references, networks and samples that share no code with it."""
