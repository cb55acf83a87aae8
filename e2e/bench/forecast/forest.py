"""Fits scikit-learn's random forest on the features of `kindling run forecast`.

Takes one JSON argument: file, holdout, and options (of RandomForestRegressor). Prints {"seconds" (of fit alone), "mse",
"leaves" (mean of a tree), "rows" and "features" (in training), "repaired"}.
"""

import json
import sys
import time

from features import load
from sklearn.ensemble import RandomForestRegressor


def main():
    request = json.loads(sys.argv[1])
    features, target, later_features, later_target, repaired = load(request["file"], request["holdout"])
    # What is loaded late is loaded here.
    RandomForestRegressor(2, n_jobs=2).fit(features[:50], target[:50])
    forest = RandomForestRegressor(n_jobs=2, **request["options"])
    start = time.perf_counter()
    forest.fit(features, target)
    seconds = time.perf_counter() - start
    errors = forest.predict(later_features) - later_target
    leaves = sum(tree.get_n_leaves() for tree in forest.estimators_) / len(forest.estimators_)
    rows, columns = features.shape
    result = {"seconds": seconds, "mse": float((errors**2).mean()), "leaves": leaves}
    print(json.dumps({**result, "rows": rows, "features": columns, "repaired": repaired}))


main()
