"""The error of a state or an input that cannot happen."""


class BrokenInvariant(RuntimeError):
    """Something that cannot happen did.

    The fault is ours: the service stops and acknowledges nothing.
    """
