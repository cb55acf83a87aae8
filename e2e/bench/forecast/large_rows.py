"""Fits LightGBM's random forest on a large file of rows, with the features that `kindling run forecast` makes.

Takes one JSON argument: file, target, holdout (days FROM..TO), threads and options (of LightGBM). Prints {"seconds" (of training alone, from
binned data), "binSeconds" (of binning), "mse", "leaves" (mean of a tree), "rows" and "features" (in training), "peakBytes"}.
"""

import json
import resource
import sys
import time

import lightgbm
import numpy
import pandas


def main():
    request = json.loads(sys.argv[1])
    frame = pandas.read_csv(request["file"])
    target = frame.pop(request["target"]).to_numpy()
    day = frame.pop("date")
    date = pandas.to_datetime(day.astype(str), format="%Y%m%d")
    first, last = (int(text) for text in request["holdout"].split(".."))
    train = (day < first).to_numpy()
    check = ((day >= first) & (day <= last)).to_numpy()
    calendar = [date.dt.isocalendar().week.to_numpy(numpy.float64), date.dt.dayofyear.to_numpy(numpy.float64)]
    features = numpy.column_stack([*calendar, *(frame[name].to_numpy(numpy.float64) for name in sorted(frame.columns))])
    del frame
    options = {**request["options"], "num_threads": request["threads"], "verbose": -1}
    start = time.perf_counter()
    data = lightgbm.Dataset(features[train], target[train], params=options)
    data.construct()
    bin_seconds = time.perf_counter() - start
    start = time.perf_counter()
    forest = lightgbm.train(options, data, num_boost_round=request["trees"])
    seconds = time.perf_counter() - start
    errors = forest.predict(features[check], num_threads=request["threads"]) - target[check]
    leaves = numpy.mean([tree["num_leaves"] for tree in forest.dump_model()["tree_info"]])
    result = {"seconds": seconds, "binSeconds": bin_seconds, "mse": float((errors**2).mean()), "leaves": float(leaves)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**result, "rows": int(train.sum()), "features": features.shape[1], "peakBytes": peak}))


main()
