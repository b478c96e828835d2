"""Series on a regular clock: tables, files and arrays to a `Panel`, and answers back."""
