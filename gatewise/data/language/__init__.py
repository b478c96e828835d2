"""A language model's data: text of any length as streams of tokens."""
