"""Text to tokens and back: words, subwords and the vocabulary that every task on text shares."""
