"""The embedded development stack: small programs that speak the wire protocols of Azure. Never deployed."""
