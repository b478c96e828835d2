"""The command line: one file per verb, flags from the constructors' signatures."""
