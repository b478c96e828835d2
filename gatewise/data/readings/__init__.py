"""A detector's data: what is monitored, read, scaled and laid in tracks."""
