"""A translator's data: pairs of texts, as lines and as batches."""
