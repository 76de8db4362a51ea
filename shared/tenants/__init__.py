"""The use cases of those who run the service: bringing a tenant in, changing its policy, letting it go."""
