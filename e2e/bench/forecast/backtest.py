"""Backtests scikit-learn's random forest on lags of daily weather, as `kindling run forecast --horizon H --backtest N` does.

Takes one JSON argument: file, target, horizon, lags, windows, harmonics, folds, trees, seeds. All columns' past is looked
at. Prints {"seconds" (of all fits with one seed, the mean), "mse" (mean of the seeds'), "mses", "persistence" (its MSE), "features", "folds"}.
"""

import json
import sys
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

YEAR = 365.25


def make_features(table, request):
    """One row a day, from nothing that was known later than `horizon` days before it."""
    days = table.index
    columns = [days.isocalendar().week.to_numpy(dtype=np.float64), days.day_of_year.to_numpy(dtype=np.float64)]
    for order in range(1, request["harmonics"] + 1):
        angle = 2 * np.pi * order / YEAR * (days.day_of_year.to_numpy() - 1)
        columns += [np.sin(angle), np.cos(angle)]
    daily = table.asfreq("D")
    others = sorted(name for name in table.columns if name != request["target"])
    for name in [request["target"], *others]:
        for lag in request["lags"]:
            columns.append(daily[name].shift(request["horizon"] + lag - 1).reindex(days).to_numpy())
        for window in request["windows"]:
            means = daily[name].rolling(window, min_periods=(window + 1) // 2).mean()
            columns.append(means.shift(request["horizon"]).reindex(days).to_numpy())
    return np.column_stack(columns)


def main():
    request = json.loads(sys.argv[1])
    table = pd.read_csv(request["file"], parse_dates=["date"]).set_index("date").sort_index()
    target = table[request["target"]].to_numpy()
    features = make_features(table, request)
    days = table.index
    last = table[request["target"]].asfreq("D").ffill().shift(request["horizon"]).reindex(days).to_numpy()
    size = len(table) // (request["folds"] + 1)
    seconds = 0.0
    seeds = request["seeds"]
    errors = {seed: [] for seed in seeds}
    persistence = []
    folds = []
    for fold in range(request["folds"]):
        start = len(table) - (request["folds"] - fold) * size
        check = np.arange(start, start + size)
        train = np.flatnonzero(days <= days[start] - pd.Timedelta(days=request["horizon"]))
        for seed in seeds:
            forest = RandomForestRegressor(request["trees"], n_jobs=2, random_state=seed)
            begin = time.perf_counter()
            forest.fit(features[train], target[train])
            seconds += time.perf_counter() - begin
            errors[seed].append((forest.predict(features[check]) - target[check]) ** 2)
        persistence.append((last[check] - target[check]) ** 2)
        folds.append([str(days[start].date()), str(days[start + size - 1].date()), len(train)])
    mses = [float(np.concatenate(errors[seed]).mean()) for seed in seeds]
    result = {"seconds": seconds / len(seeds), "mse": float(np.mean(mses)), "mses": mses}
    result["persistence"] = float(np.concatenate(persistence).mean())
    print(json.dumps({**result, "features": features.shape[1], "folds": folds}))


main()
