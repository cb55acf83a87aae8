"""Counts strings with DuckDB or Polars on two threads and writes a CSV sorted by key.

Takes one JSON argument: engine (duckdb, polars), source (csv, parquet, table), file, out, total (the name of the sums' column),
memory (DuckDB's limit, or null) and spill (a folder). Prints {"seconds", "peakBytes"}: the time from the first read to the
last byte written. For the source `table`, loading it from the CSV file is not counted.
"""

import json
import re
import sys
import time

THREADS = 2


def peak_bytes():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def duckdb_query(request):
    import duckdb

    con = duckdb.connect()
    con.execute(f"SET threads = {THREADS}")
    # Rows may come in any order: ORDER BY fixes that of the result.
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"SET temp_directory = {quoted(request['spill'])}")
    if request["memory"] is not None:
        con.execute(f"SET memory_limit = {quoted(request['memory'])}")
    columns = "{'key': 'VARCHAR', 'value': 'BIGINT'}"
    csv = f"read_csv({quoted(request['file'])}, header = true, delim = ',', quote = '\"', escape = '\"', columns = {columns})"
    source = {"csv": csv, "parquet": f"read_parquet({quoted(request['file'])})", "table": "tuples"}[request["source"]]
    if request["source"] == "table":
        con.execute(f"CREATE TABLE tuples AS SELECT * FROM {csv}")
    query = (
        f"COPY (SELECT key, sum(value) AS {request['total']} FROM {source} GROUP BY key ORDER BY key) "
        f"TO {quoted(request['out'])} (FORMAT csv, HEADER)"
    )
    return lambda: con.execute(query)


def polars_query(request):
    import polars as pl

    if pl.thread_pool_size() != THREADS:
        raise SystemExit(f"Polars has {pl.thread_pool_size()} threads: set POLARS_MAX_THREADS={THREADS}")
    schema = {"key": pl.String, "value": pl.Int64}
    if request["source"] == "table":
        tuples = pl.read_csv(request["file"], schema=schema).lazy()
    elif request["source"] == "csv":
        tuples = pl.scan_csv(request["file"], schema=schema)
    else:
        tuples = pl.scan_parquet(request["file"])
    total = pl.col("value").sum().alias(request["total"])
    return lambda: tuples.group_by("key").agg(total).sort("key").sink_csv(request["out"], engine="streaming")


def main():
    request = json.loads(sys.argv[1])
    run = {"duckdb": duckdb_query, "polars": polars_query}[request["engine"]](request)
    start = time.perf_counter()
    try:
        run()
    except Exception as error:
        # One line: DuckDB's advice on lack of memory has several.
        raise SystemExit(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peakBytes": peak_bytes()}))


main()
