"""Checks JSON against a schema, and requests against AWS's own model of its API (botocore brings it).

Reads one JSON object: { "schema": path or null, "documents": [...], "requests": [{ "service", "operation", "input" }] }.
Prints one JSON object: { "problems": [...] }.
"""

import json
import sys

import botocore.session
import jsonschema
from botocore.validate import ParamValidator

request = json.loads(sys.argv[1])
problems = []
if request["schema"] is not None:
    with open(request["schema"], encoding="utf8") as file:
        schema = json.load(file)
    validator = jsonschema.Draft202012Validator(schema)
    for document in request["documents"]:
        problems += [error.message for error in validator.iter_errors(document)]
session = botocore.session.get_session()
for item in request["requests"]:
    model = session.get_service_model(item["service"]).operation_model(item["operation"])
    report = ParamValidator().validate(item["input"], model.input_shape)
    if report.has_errors():
        problems.append(report.generate_report())
print(json.dumps({"problems": problems}))
