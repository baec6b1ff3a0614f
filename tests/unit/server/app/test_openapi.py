#!/usr/bin/env python3
"""Every console route stands in docs/openapi.yaml, and nothing else does."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
code = "".join(p.read_text() for p in (ROOT / "server/app").glob("*.c"))
routes = set(re.findall(r'"(/(?:api/v1/[^"]+|metrics|healthz|checkpoint|tile/\*))"', code))
doc = set(re.findall(r"^  (/[^:]+):$", (ROOT / "docs/openapi.yaml").read_text(),
                     re.M))
missing, extra = routes - doc, doc - routes
print(f"{len(routes)} routes; not in the document: {sorted(missing)}; "
      f"not in the code: {sorted(extra)}")
sys.exit(bool(missing or extra or len(routes) < 10))
