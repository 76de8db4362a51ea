"""The use cases that keep the promises: retention first."""
