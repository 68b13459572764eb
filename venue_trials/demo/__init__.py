"""`./venue demo`: its cast, its course with a live standing, and what the prices did."""
