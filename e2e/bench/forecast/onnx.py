"""Predicts the held-out days with onnxruntime from a model that `kindling run forecast --model-format onnx` wrote.

Takes one JSON argument: file, holdout, model, result (the file of Kindling's own predictions). Prints {"rows",
"difference" (the largest between the two, absolute)}.
"""

import json
import sys

import numpy as np
import onnxruntime
import pandas as pd
from features import TARGET, load


def main():
    request = json.loads(sys.argv[1])
    _, _, features, _, _ = load(request["file"], request["holdout"])
    session = onnxruntime.InferenceSession(request["model"], providers=["CPUExecutionProvider"])
    (predicted,) = session.run(None, {session.get_inputs()[0].name: features})
    own = pd.read_csv(request["result"])[TARGET].to_numpy()
    if len(own) != len(predicted):
        raise SystemExit(f"{len(own)} predictions in the result, {len(predicted)} by onnxruntime")
    print(json.dumps({"rows": len(own), "difference": float(np.abs(predicted[:, 0] - own).max())}))


main()
