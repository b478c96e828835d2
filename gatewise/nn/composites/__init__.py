"""Blocks of several layers that give sequences or vectors."""
