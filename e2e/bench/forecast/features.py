"""Repairs daily weather and makes the features of `kindling run forecast`, by the same rules.

The rules are those of workloads/forecast/data/cleaning.ts and features.ts; that the counts of repaired values agree is checked.
"""

import numpy as np
import pandas as pd

FEWEST = 100
RARE = 0.05
FEW = 3
TARGET = "humidity"


def fit_range(values):
    """The range of a column's true values in training, or None without a rule."""
    known = np.sort(values[~np.isnan(values)])
    if len(known) < FEWEST:
        return None

    def at(share):
        return int(share * (len(known) - 1))

    gap = 1.5 * max(known[at(0.98)] - known[at(0.95)], known[at(0.05)] - known[at(0.02)])
    if not gap > 0:
        return None
    top, bottom = at(0.98), at(0.02)
    while top + 1 < len(known) and known[top + 1] - known[top] <= gap:
        top += 1
    while bottom > 0 and known[bottom] - known[bottom - 1] <= gap:
        bottom -= 1
    return known[bottom], known[top]


def clean(values, fitted):
    """The repaired values of one part of the rows, and how many were divided by ten."""
    if fitted is None:
        return values, 0
    low, high = fitted
    tenth = values / 10
    slip = ((values > max(high, 0)) | (values < min(low, 0))) & (tenth >= low) & (tenth <= high)
    rare = slip.sum() <= FEW + RARE * (~np.isnan(values)).sum()
    impossible = ~slip & ((values > high + (high - low)) | (values < low - (high - low)))
    cleaned = np.where(slip & rare, tenth, np.where(impossible, np.nan, values))
    return cleaned, int(slip.sum()) if rare else 0


def load(file, holdout):
    """Features and targets of the training rows and of the last `holdout` of all rows, and the repaired cells by column."""
    table = pd.read_csv(file).sort_values("date", kind="stable").reset_index(drop=True)
    dates = pd.to_datetime(table["date"].astype(str))
    train = np.arange(len(table)) < len(table) - int(np.ceil(len(table) * holdout))
    predictors = sorted(column for column in table.columns if column not in ("date", TARGET))
    repaired = {}
    columns = {}
    for name in [*predictors, TARGET]:
        values = table[name].to_numpy(dtype=np.float64)
        fitted = fit_range(values[train])
        cleaned = values.copy()
        cleaned[train], count = clean(values[train], fitted)
        if name != TARGET:
            cleaned[~train], more = clean(values[~train], fitted)
            count += more
        if count > 0:
            repaired[name] = count
        columns[name] = cleaned
    calendar = [dates.dt.isocalendar().week.to_numpy(dtype=np.float64), dates.dt.dayofyear.to_numpy(dtype=np.float64)]
    features = np.column_stack([*calendar, *(columns[name] for name in predictors)])
    if "temp" in columns and "rainfall" in columns:
        features = np.column_stack([features, columns["temp"] * columns["rainfall"]])
    target = columns[TARGET]
    return features[train], target[train], features[~train], target[~train], repaired
