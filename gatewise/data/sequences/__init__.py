"""Many sequences of uneven lengths: read from whatever a person has, and which are held out."""
