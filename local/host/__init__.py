"""Runs a Python function app as Azure Functions would, on Microsoft's own worker library. For development only."""
