"""What is known of a run, a layer, a unit, an image: each question asked in one place, for all that tell the answer."""
