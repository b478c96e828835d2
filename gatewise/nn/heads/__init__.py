"""From features to what a task asks for: quantiles, tokens, paths of tags."""
