"""Other people's validators over a bundle, in one process: BagIt, the four OSCAL files, CycloneDX."""
import os
import sys

bundle, work = map(os.path.abspath, sys.argv[1:])

import bagit

bagit.Bag(bundle).validate()
print("bagit: valid")

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(f"{bundle}/data/views/declarations.cdx.json") as file:
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
if problem:
    sys.exit(f"cyclonedx: {problem}")
print("cyclonedx: valid")

from trestle.cli import Trestle


def trestle(*args):
    sys.argv = ["trestle", *args]
    if Trestle().run():
        sys.exit(f"trestle {' '.join(args)} failed")


os.chdir(work)
trestle("init", "-loc")
for name in ("catalog", "profile", "assessment-plan", "assessment-results"):
    trestle("import", "-f", f"{bundle}/data/views/oscal/{name}.json", "-o", name)
trestle("validate", "--all")

import subprocess

schemas = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "schemas")
files = {f"oscal_{name}_schema.json": f"oscal/{name}.json" for name in ("catalog", "profile", "assessment-plan", "assessment-results")}
for schema, file in (files | {"sarif-2.1.0.json": "results.sarif"}).items():
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", f"{schemas}/{schema}", f"{bundle}/data/views/{file}"]
    if subprocess.run(command, stdout=sys.stderr).returncode:
        sys.exit(f"check-jsonschema refuses {file}")
    print(f"check-jsonschema: {file} is valid")

import xmlschema

xmlschema.XMLSchema(f"{schemas}/junit-10.xsd").validate(f"{bundle}/data/views/junit.xml")
print("xmlschema: junit.xml is valid")
