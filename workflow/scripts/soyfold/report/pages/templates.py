"""Where the pages' templates are, and which they are: what the rule files ask for."""

import hashlib
from pathlib import Path

TEMPLATES = Path(__file__).parent


def template_digest():
    """Digest of the pages' templates, which `digest.source_digest` does not see."""
    parts = [path.read_bytes() for path in sorted(TEMPLATES.glob("*.jinja"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
