"""The use cases of a job."""
