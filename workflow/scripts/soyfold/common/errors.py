"""The one error that a user's input can cause."""


class UserError(Exception):
    """Bad input: one line that says where, what was found, what is allowed, how to mend it.

    Parameters
    ----------
    found : str
        What was found, in the user's terms ("chromosome 'Chr21'").
    file : path-like, optional
        The file, sheet or config that holds it.
    at : str, optional
        The place inside: "line 12", "key genotypes.file", "column value".
    allowed : str, optional
        What would have been accepted.
    mend : str, optional
        What to do about it, as an imperative.
    """

    def __init__(self, found, *, file=None, at=None, allowed=None, mend=None):
        where = ", ".join(str(part) for part in (file, at) if part)
        parts = [f"found {found}"]
        if allowed:
            parts.append(f"allowed: {allowed}")
        if mend:
            parts.append(f"to mend: {mend}")
        message = "; ".join(parts)
        line = f"{where}: {message}" if where else message
        super().__init__(" ".join(line.split()))

    def __reduce__(self):
        """Between processes the line goes as it is: __init__ would put it together again."""
        return _remade, (str(self),)


def raise_all(errors):
    """Raise errors as one, a line each; nothing where there is none."""
    lines = dict.fromkeys(map(str, errors))
    if lines:
        raise _remade("\n".join(lines))


def _remade(line):
    return UserError.__new__(UserError, line)
