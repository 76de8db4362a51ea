"""The small SQL dialect of this endpoint: lexer, parser, evaluator, and what of a filter SQLite can do beforehand."""
