"""The use cases of webhooks: endpoints, announcing, delivering, guarding."""
