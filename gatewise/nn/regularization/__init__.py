"""What layers draw while they train: dropout, zoneout and noise."""
