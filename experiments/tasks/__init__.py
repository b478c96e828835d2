"""The papers' tasks as generators: one file each."""
