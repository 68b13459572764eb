"""The tables of both databases as SQLAlchemy metadata; tests prove that migrations make exactly these."""
