"""Time: stamps as people write them, clocks, calendars, and what repeats."""
