"""One runner a library; each runs in that library's own environment and sees no test data."""
