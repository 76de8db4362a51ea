"""A Cosmos DB for NoSQL endpoint over SQLite: the part of its REST interface that the official SDKs use for this app.

A development part. It has one physical partition, so that it answers cross-partition queries itself, and its request
charges are rough figures, not Azure's. What it does not know it refuses with a 400 that names it.
"""
