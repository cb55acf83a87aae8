"""Checks a Compose file against the schema of such files. Prints { "problems": [...], "services": { name: profiles } }."""

import json
import re
import sys

import jsonschema
import yaml

request = json.loads(sys.argv[1])
with open(request["schema"], encoding="utf8") as file:
    schema = json.load(file)
with open(request["file"], encoding="utf8") as file:
    compose = yaml.safe_load(file)
# The schema is older than this key.
name = compose.pop("name")
validator = jsonschema.validators.validator_for(schema)(schema)
problems = ["%s: %s" % ("/".join(map(str, error.path)), error.message) for error in validator.iter_errors(compose)]
if not re.match(r"^[a-z0-9][a-z0-9_-]*$", name):
    problems.append("name: %s" % name)
services = {name: service.get("profiles", []) for name, service in compose["services"].items()}
for name, service in compose["services"].items():
    # What one waits for must start with it.
    for other in service.get("depends_on", {}):
        missing = set(service["profiles"]) - set(services[other])
        if missing:
            problems.append("%s starts with %s, and %s, which it needs, does not" % (name, sorted(missing), other))
print(json.dumps({"problems": problems, "services": services}))
