"""What is known of a run, a layer, a unit, an image, a dissection: asked of the atlas once, told by all who show it."""
