"""A development stand-in for an Azure OpenAI resource: Azure-shaped, deterministic, it keeps and logs no prompt."""
