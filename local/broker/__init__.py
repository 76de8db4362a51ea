"""The Service Bus broker of the embedded stack: AMQP 1.0 on loopback in front of SQLite. A development part."""
