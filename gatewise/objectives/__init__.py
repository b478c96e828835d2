"""From a network's output and a batch to a loss."""
