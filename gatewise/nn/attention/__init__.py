"""From many steps to one vector: attention by a query, and pooling."""
