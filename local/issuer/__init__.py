"""A development stand-in for Entra ID and the App Service identity endpoint: tokens, keys, and their rotation."""
