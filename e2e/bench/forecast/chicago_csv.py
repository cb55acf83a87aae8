"""Writes the daily weather in R's data set Chicago (package modeldata) as CSV.

Takes {"rdata": the path of a lazy-load database without its ending, "out"} as JSON, prints {}. The database is an index
(.rdx, an R object) and a file (.rdb) of compressed R objects, each with its length and kind in front.
"""

import bz2
import json
import lzma
import sys
import warnings
import zlib

import pandas as pd
import rdata

COLUMNS = ["temp_min", "temp", "temp_max", "dew", "humidity", "pressure", "wind", "wind_max", "gust", "percip"]


def decompress(packed):
    kind = packed[4:5]
    if kind == b"2":
        return bz2.decompress(packed[5:])
    if kind == b"Z":
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 6}]
        return lzma.decompress(packed[5:], format=lzma.FORMAT_RAW, filters=filters)
    return zlib.decompress(packed[4:])


def main():
    request = json.loads(sys.argv[1])
    warnings.simplefilter("ignore")
    with open(request["rdata"] + ".rdx", "rb") as file:
        index = rdata.conversion.convert(rdata.parser.parse_data(file.read()))
    offset, length = (int(number) for number in index["variables"]["Chicago"])
    with open(request["rdata"] + ".rdb", "rb") as file:
        file.seek(offset)
        table = rdata.conversion.convert(rdata.parser.parse_data(decompress(file.read(length))))
    weather = table[COLUMNS].copy()
    # R counts days from 1970.
    weather.insert(0, "date", pd.to_datetime(table["date"], unit="D").dt.strftime("%Y-%m-%d"))
    weather.to_csv(request["out"], index=False, float_format="%.10g")
    print("{}")


main()
