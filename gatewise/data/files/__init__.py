"""Files and frames to columns and lines, and back: knows formats and libraries, no task."""
