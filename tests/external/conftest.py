"""What is here for other interpreters is no test and is not imported for its examples."""

collect_ignore = ["in_torchs_place.py", "keras_seam.py"]
