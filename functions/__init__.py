"""Triggers: bind, call the use case, return. The only floor that knows Azure Functions."""
