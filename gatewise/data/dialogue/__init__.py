"""A dialogue's data: turns, the replies they may be told from, and what texts share."""
