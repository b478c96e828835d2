"""How fast recurrent layers are on the processor, beside what else could run them.

One file a row of the table (`plain`, `stream`, `cells`, `loops`, `peak`, `budget`, `memory`,
`start`, `length`), and under them what they share: `shapes`, `timing`, `correctness`, `models`,
`contest`.
"""
