"""Executes a notebook in this Python. Reads { "notebook", "folder" }; prints { "pictures": [PNG in base64], "text": [...] }."""

import json
import sys

import nbformat
from nbclient import NotebookClient

request = json.loads(sys.argv[1])
notebook = nbformat.read(request["notebook"], as_version=4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": request["folder"]}}).execute()
outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
pictures = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
text = [output.text for output in outputs if output.output_type == "stream"]
print(json.dumps({"pictures": pictures, "text": text}))
