"""One service or adapter on the real broker and database."""
