"""Pure values and decisions: no I/O, no clock of their own, no import from the other floors."""
