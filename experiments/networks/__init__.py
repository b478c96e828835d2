"""The networks that the papers describe, and today's beside them."""
