"""A webhook receiver for the embedded stack: remembers what it was sent, and answers as a test wants it to."""
