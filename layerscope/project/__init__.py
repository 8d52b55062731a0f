"""Peak -> pixels: projections by cone execution. The rules themselves stand in the operation table."""
