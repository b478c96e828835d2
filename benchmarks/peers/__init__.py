"""One runner a library; each runs in that library's own environment and imports nothing of ours."""
