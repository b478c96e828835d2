"""Why an LSTM: the comparisons of the textbooks and papers, run.

`python -m experiments --list` says which; each writes its page in `docs/experiments`.
"""
