"""What may be wrong, each thing looked at by itself: what was found, and what mends it."""
