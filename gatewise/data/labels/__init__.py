"""Whole sequences as batches, each with one answer or with none: classes, numbers, vectors."""
