"""How weights start: schemes, and which of them starts which weights."""
