"""A gate's verdicts as JUnit XML, which the test pages of CI systems show: a test case an axis."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fairreason.evaluation.gate import CANNOT_TELL, NOT_WORSE, WORSE
from fairreason.files import write_atomic


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """`worse` is a failure, `cannot tell` an error. Raises RunError when the file cannot be written."""
    counted = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in (WORSE, CANNOT_TELL)}
    suite = ET.Element(
        "testsuite",
        name="fairreason check",
        tests=str(len(rows)),
        failures=str(counted[WORSE]),
        errors=str(counted[CANNOT_TELL]),
    )
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname="fairreason.check", name=row["axis"])
        if row["verdict"] != NOT_WORSE:
            kind = "failure" if row["verdict"] == WORSE else "error"
            ET.SubElement(case, kind, type=row["verdict"], message=sentence(row))
        ET.SubElement(case, "system-out").text = sentence(row)
    root = ET.Element("testsuites")
    root.append(suite)
    write_atomic(path, ET.tostring(root, encoding="utf-8", xml_declaration=True))


def sentence(row: Mapping[str, Any]) -> str:
    """A row of the gate in words."""
    low, high = row["gain_low"], row["gain_high"]
    bounds = "no interval" if low is None or high is None else f"one-sided 95 % bounds {low:+.3f} and {high:+.3f}"
    gain = "undefined" if row["gain"] is None else f"{row['gain']:+.3f}"
    more = ""
    if row["verdict"] == CANNOT_TELL:
        more = (
            f"; about {row['needed_n']:,} examples in {row['needed_clusters']:,} clusters would most likely decide"
            if row["needed_n"]
            else "; no number of examples like these would decide"
        )
    return f"{row['axis']}: {row['verdict']}: gain {gain}, {bounds}, margin {row['margin']:g}{more}"
