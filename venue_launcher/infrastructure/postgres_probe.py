"""Is there a Postgres, does it let us in, and may we make databases and roles?"""

import psycopg2

from venue_launcher.infrastructure.urls import without_password

RIGHTS = (
    "SELECT rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_roles WHERE rolname = current_user"
)


def refusal(url: str) -> str | None:
    """Why the Postgres at `url` can't hold the venue; None when it can."""
    try:
        connection = psycopg2.connect(url, connect_timeout=5)
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines()
        return (
            f"{without_password(url)} does not let us in "
            f"({lines[0] if lines else type(error).__name__})"
        )
    try:
        with connection.cursor() as cursor:
            cursor.execute(RIGHTS)
            row = cursor.fetchone()
    finally:
        connection.close()
    return (
        None
        if row and row[0]
        else f"{without_password(url)} does not let us make databases and roles"
    )
