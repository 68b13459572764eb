"""What a schedule raises when the venue breaks a promise."""


class Violation(AssertionError):
    """A promise was broken; the message says which and how."""


def require(holds: bool, promise: str, fact: object = "") -> None:
    """Violation unless `holds`."""
    if not holds:
        raise Violation(f"{promise}: {fact}" if fact != "" else promise)
