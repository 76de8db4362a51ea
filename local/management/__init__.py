"""Azure Resource Manager of the embedded stack: the few reads by which an app checks how its services are set up."""
