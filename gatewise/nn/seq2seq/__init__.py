"""From one sequence to another: decoders with their state, and autoencoders."""
