"""What has happened and what was decided, in PostgreSQL: the truth that delivery and caches are made from."""
