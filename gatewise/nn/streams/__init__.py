"""A layer one time step at a time, in microseconds."""
