"""One network a task, built of the layers, and the small specs that shape it."""
