"""Laws: what must hold for every network, layer, position and method."""
