"""Machine code for any cell, made from its equations for the processor it runs on."""
