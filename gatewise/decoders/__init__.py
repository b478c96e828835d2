"""From a network and a batch to an answer."""
