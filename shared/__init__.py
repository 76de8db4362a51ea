"""The product: what Lethe promises, free of any type of Azure Functions."""
