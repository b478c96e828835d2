"""Layers whose gates see the input alone, so that time runs in parallel."""
