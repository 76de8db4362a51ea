"""``make run``: a fresh stack, requests sent to it as any system would send them, and what became of them."""
