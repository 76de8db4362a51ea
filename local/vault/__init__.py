"""Azure Key Vault of the embedded stack, keys only: private keys that nobody gets, and rules for who may use which."""
