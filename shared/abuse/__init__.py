"""The use cases of abuse monitoring: sealed records, alerts, and the reviews of people."""
