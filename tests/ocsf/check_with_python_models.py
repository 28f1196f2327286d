#!/usr/bin/env python3
"""Reads OCSF documents with models that nobody here wrote: the PyPI packages pydantic-ocsf and py-ocsf-models.

Setting up (in a virtual environment; this script installs nothing):

    python3 -m venv venv && venv/bin/pip install pydantic-ocsf==3.0.0 py-ocsf-models==0.10.0

Running, after `cargo test`, whose test `ocsf` leaves the documents that the platform holds of a simulated tenant:

    venv/bin/python tests/ocsf/check_with_python_models.py target/tmp/ocsf-documents.ndjson

Each class is read by a process of its own: in one, the package takes the activities of the class that was used first for those of all.
pydantic-ocsf has all three classes, as version 1.7 of the schema has them (no package has 1.8 yet; what our documents use is the same in both).
It takes attributes that it does not know; they count as an error here. py-ocsf-models has the Detection Finding alone, as of version 1.5.
The exit code is 0 when every document is read by both, 1 when one is not, 2 when it could not be tried.
"""

import collections
import json
import subprocess
import sys

try:
    from ocsf.v1_7_0 import events
    from ocsf.v1_7_0.objects import Cloud, Endpoint
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding as OtherDetectionFinding
    from pydantic import BaseModel, ValidationError
except ImportError as missing:
    print(f"{missing}: pip install pydantic-ocsf==3.0.0 py-ocsf-models==0.10.0", file=sys.stderr)
    sys.exit(2)

# The classes, by the package's names, and what must be among the documents for the check to mean something.
CLASSES = {5001: "InventoryInfo", 2002: "VulnerabilityFinding", 2004: "DetectionFinding"}
ACTIVITIES = {5001: {"Collect"}, 2002: {"Create", "Close"}, 2004: {"Create", "Update", "Close", "Out of scope"}}

# The source's own names, which the schema does not know.
OPEN = {"unmapped"}

OTHER = 99


def unknown(model, place=""):
    """Attributes of a document that the model does not have."""
    for name in model.model_extra or {}:
        yield f"{place}{name}"
    for name in type(model).model_fields:
        if name in OPEN:
            continue
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                yield from unknown(item, f"{place}{name}.")


def apart(document):
    """The document without what pydantic-ocsf has elsewhere, and what is wrong with those pieces.

    Its events lack the attributes of profiles, and its Device has lost the types that the schema takes over from Endpoint.
    """
    document, problems = dict(document), []
    if "cloud" in document.get("metadata", {}).get("profiles", []):
        problems += held_against(Cloud, document.pop("cloud", None))
    device = dict(document.get("device") or {})
    if device.get("type_id") not in (None, 0, OTHER):
        try:
            label = Endpoint.TypeId(device["type_id"]).label
        except ValueError as error:
            problems.append(f"device.type_id: {error}")
        else:
            if device.get("type", label) != label:
                problems.append(f"device.type: {device['type']} instead of {label}")
        document["device"] = device | {"type_id": OTHER}
    return document, problems


def held_against(model, piece):
    """What a model has against a document or a piece of one."""
    try:
        read = model.model_validate(piece)
    except ValidationError as error:
        return [f"{model.__module__}.{model.__name__}: {error}"]
    # The other package leaves out what it does not model, and does not say so.
    if model is OtherDetectionFinding:
        return []
    return [f"no such attribute: {name}" for name in unknown(read)]


def wrong(document, class_uid):
    """What the models have against a document of a class."""
    document, problems = apart(document)
    problems += held_against(getattr(events, CLASSES[class_uid]), document)
    if class_uid == 2004:
        problems += held_against(OtherDetectionFinding, document)
    return problems


def check_class(path, documents, class_uid):
    """Reads the documents of one class; how many are wrong."""
    failed = 0
    found = collections.Counter()
    for number, document in enumerate(documents, 1):
        if document.get("class_uid") != class_uid:
            continue
        found[document.get("activity_name")] += 1
        problems = wrong(document, class_uid)
        failed += bool(problems)
        for problem in problems:
            print(f"{path}:{number}: {problem}", file=sys.stderr)
    print(f"class {class_uid}: {dict(found)}, {failed} wrong", flush=True)
    if not ACTIVITIES[class_uid] <= set(found):
        print(f"{path}: of class {class_uid} not each activity is there", file=sys.stderr)
        failed += 1
    return failed


def main(path, class_uid=None):
    try:
        with open(path, encoding="utf-8") as file:
            documents = [json.loads(line) for line in file if line.strip()]
    except (OSError, ValueError) as error:
        print(f"{path}: {error}; `cargo test` writes it", file=sys.stderr)
        return 2
    if class_uid is not None:
        return 1 if check_class(path, documents, int(class_uid)) else 0
    unknown_classes = {document.get("class_uid") for document in documents} - CLASSES.keys()
    if unknown_classes:
        print(f"{path}: classes that are none of ours: {unknown_classes}", file=sys.stderr)
        return 1
    ended = [subprocess.run([sys.executable, __file__, path, str(uid)]).returncode for uid in CLASSES]
    return max(ended)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
