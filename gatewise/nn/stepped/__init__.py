"""Layers stepped in Python, as no engine knows their shape: on maps, grids and trees."""
