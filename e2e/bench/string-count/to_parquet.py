"""Writes a CSV file of tuples as Parquet with DuckDB's defaults. Takes {"file", "out"} as JSON, prints {}."""

import json
import sys

import duckdb

request = json.loads(sys.argv[1])
file, out = (request[name].replace("'", "''") for name in ("file", "out"))
columns = "{'key': 'VARCHAR', 'value': 'BIGINT'}"
duckdb.execute(f"COPY (SELECT * FROM read_csv('{file}', header = true, columns = {columns})) TO '{out}' (FORMAT parquet)")
print("{}")
