"""The commands of those who run the service. Thin, as the functions are: read arguments, call a use case, print."""
