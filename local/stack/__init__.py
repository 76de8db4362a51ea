"""The supervisor of the local stack: starts the parts, seeds them, keeps them alive, and says where they are."""
