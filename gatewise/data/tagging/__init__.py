"""A tagger's data: sequences with a tag for each token, read, numbered and given back."""
