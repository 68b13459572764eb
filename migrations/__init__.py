"""Database migrations: alembic, one branch of versions for each database, and the provisioning of
both.
"""
