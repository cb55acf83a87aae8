"""Spark's own ways to do the two jobs, to hold ours against: no Node, and none of our code but the form of the results.

`rdd` and `mllib` are what the system did that Kindling took over from; `dataframe` is the form that RAPIDS accelerates.
"""

import csv
import datetime
import hashlib
import io
import math
import os
import time
from operator import add

from kindling_program import about, run_application, watch

# The partitions of the original.
PARTITIONS = 8


def field(text):
    """As RFC 4180 writes it: in quotes only where it must be."""
    return '"%s"' % text.replace('"', '""') if any(mark in text for mark in ',"\r\n') else text


def url(path):
    """A file of this machine as Spark is to read it, whose own default may be another file system. Hadoop decodes nothing."""
    return "file://" + path if path.startswith("/") else path


class Failed(Exception):
    """The caller's data or wish is wrong."""


class Native(object):
    def __init__(self, context, job, output, options):
        self.context = context
        self.params = job["params"]
        self.engine = job["engine"]
        self.output = output
        self.located = dict(options.input)
        self.owner = options.owner
        self.began = time.time()
        self.status = dict(
            about(context),
            state="running",
            seconds=0,
            unit=job["unit"],
            stages=[],
            metrics={},
            artifacts=[],
            error=None,
        )

    def run(self):
        end = watch(self.tell, self.owner, lambda: os._exit(1))
        try:
            metrics = {"rdd": self.rdd, "dataframe": self.dataframe, "mllib": self.mllib}[self.engine]()
            self.status.update(state="succeeded", metrics=metrics)
        except Failed as failed:
            self.status.update(state="failed", error={"code": "BadInput", "message": str(failed)})
        except Exception as error:
            first = str(error).strip().split("\n")[0]
            self.status.update(state="failed", error={"code": "SparkFailed", "message": "Spark: " + first})
        end()
        self.status["seconds"] = time.time() - self.began
        self.output.tell(self.status)
        return self.status["state"] == "succeeded"

    def tell(self):
        """Spark's stages as ours are shown; their names are Spark's."""
        tracker = self.context.statusTracker()
        jobs = sorted(tracker.getJobIdsForGroup(None))
        for stage in sorted(stage for job in jobs for stage in tracker.getJobInfo(job).stageIds):
            info = tracker.getStageInfo(stage)
            if info is None or info.numCompletedTasks + info.numActiveTasks == 0:
                continue
            shown = {
                "ordinal": stage,
                "label": info.name,
                "kind": "map",
                "tasks": info.numTasks,
                "done": info.numCompletedTasks,
                "running": info.numActiveTasks,
                "retries": info.numFailedTasks,
                "units": 0,
                "unitsPerSecond": 0,
                "backends": {},
                "reason": "",
                "seconds": 0,
            }
            others = [other for other in self.status["stages"] if other["ordinal"] != stage]
            self.status["stages"] = sorted(others + [shown], key=lambda one: one["ordinal"])
        self.status["seconds"] = time.time() - self.began
        self.output.tell(self.status)

    def file(self, param):
        given = self.params.get(param)
        return None if given is None else self.located.get(given, given)

    def opened(self, path, encoding):
        """A file's text. One that lies elsewhere comes whole, through Hadoop."""
        if "://" not in path:
            return open(path, newline="", encoding=encoding)
        content = self.context.binaryFiles(path).values().first()
        return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")

    def write(self, name, text):
        content = text.encode("utf-8")
        file = "artifact-%d" % len(self.status["artifacts"])
        with open(os.path.join(self.output.folder, file), "wb") as target:
            target.write(content)
        sha256 = hashlib.sha256(content).hexdigest()
        self.status["artifacts"].append({"name": name, "file": file, "bytes": len(content), "sha256": sha256})

    # Counting.

    def inputs(self):
        given = self.params.get("input")
        if given is None:
            raise Failed("--engine %s counts files: name them as input" % self.engine)
        return [self.located.get(name, name) for name in (given if isinstance(given, list) else [given])]

    def columns(self):
        return self.params.get("key", "key"), self.params.get("value", "value")

    def rdd(self):
        """The original's: tuples in the driver's memory, `parallelize(…, 8).reduceByKey(+).collect()`."""
        key, value = self.columns()
        tuples = []
        for path in self.inputs():
            with self.opened(path, "utf-8") as source:
                rows = csv.reader(source)
                header = next(rows)
                if key not in header or value not in header:
                    raise Failed("%s: it has no column %s or %s" % (path, key, value))
                at = header.index(key), header.index(value)
                tuples.extend((row[at[0]], int(row[at[1]])) for row in rows)
        began = time.time()
        sums = self.context.parallelize(tuples, PARTITIONS).reduceByKey(add).collect()
        return self.counted(sums, len(tuples), time.time() - began)

    def dataframe(self):
        from pyspark.sql import SparkSession, functions

        session = SparkSession.builder.getOrCreate()
        key, value = self.columns()
        paths = self.inputs()
        began = time.time()
        if paths[0].endswith(".parquet") or self.params.get("format") == "parquet":
            rows = session.read.parquet(*map(url, paths)).select(key, value)
        else:
            header = self.header(session, paths[0])
            types = {key: "string", value: "long"}
            if not set(types) <= set(header):
                raise Failed("%s: it has no column %s or %s" % (paths[0], key, value))
            schema = ", ".join("`%s` %s" % (name, types.get(name, "string")) for name in header)
            rows = session.read.csv([url(path) for path in paths], schema=schema, header=True, mode="FAILFAST")
        grouped = rows.groupBy(key).agg(functions.sum(value).alias("total"), functions.count("*").alias("tuples")).collect()
        seconds = time.time() - began
        return self.counted([(row[0], row[1]) for row in grouped], sum(row[2] for row in grouped), seconds)

    def header(self, session, path):
        """The names of a CSV file's columns. Of one that lies elsewhere only the first line is read: it may be large."""
        if "://" not in path:
            with self.opened(path, "utf-8") as source:
                return next(csv.reader(source))
        first = session.read.text(path).first()
        if first is None:
            raise Failed("%s: it is empty" % path)
        return next(csv.reader([first[0]]))

    def counted(self, sums, tuples, seconds):
        key, value = self.columns()
        # As UTF-8, also what lies beyond the basic plane.
        ordered = sorted(sums, key=lambda pair: pair[0].encode("utf-8"))
        lines = ["%s,%d\n" % (field(name), total) for name, total in ordered]
        self.write("counts.csv", "%s,%s\n" % (field(key), field(value)) + "".join(lines))
        best = sorted(ordered, key=lambda pair: -pair[1])[: self.params.get("top", 10)]
        return {
            "tuples": tuples,
            "keys": len(ordered),
            "sum": sum(total for _name, total in ordered),
            "skippedRows": 0,
            "top": [{"key": name, "sum": total} for name, total in best],
            "countSeconds": seconds,
        }

    # Forecasting.

    def mllib(self):
        """The original's: rows with temp ≥ 100 dropped, six features, a forest with MLlib's defaults; checked on the last rows."""
        from pyspark.ml.feature import VectorAssembler
        from pyspark.ml.regression import RandomForestRegressor
        from pyspark.sql import SparkSession

        session = SparkSession.builder.getOrCreate()
        target, date = self.params.get("target", "humidity"), self.params.get("date", "date")
        share = float(self.params.get("holdout", 0.1))
        assembler = VectorAssembler(inputCols=["week", "temp", "wind", "rainfall", "day", "tempRain"], outputCol="features")

        def frame(rows, with_target):
            names = ["week", "temp", "wind", "rainfall", "day", "tempRain"] + (["label"] if with_target else [])
            return assembler.transform(session.createDataFrame([features(row) for row in rows], names))

        def features(row):
            day = parse_day(row[date])
            temp, wind, rain = float(row["temp"]), float(row["wind"]), float(row["rainfall"])
            made = (float(day.isocalendar()[1]), temp, wind, rain, float(day.timetuple().tm_yday), temp * rain)
            return made + ((float(row[target]),) if target in row and row[target] != "" else ())

        observed = [row for row in self.read("observed", [date, "temp", "wind", "rainfall", target]) if float(row["temp"]) < 100]
        cut = len(observed) - int(math.floor(len(observed) * share + 0.5))
        train = frame(observed[:cut], True).cache()
        train.count()
        began = time.time()
        model = RandomForestRegressor(featuresCol="features", labelCol="label", seed=self.params.get("seed", 1)).fit(train)
        seconds = time.time() - began
        checked = observed[cut:]
        predictions = [row[0] for row in model.transform(frame(checked, True)).select("prediction").collect()]
        asked = checked
        forecast = predictions
        if self.params.get("future") is not None:
            asked = self.read("future", [date, "temp", "wind", "rainfall"])
            forecast = [row[0] for row in model.transform(frame(asked, False)).select("prediction").collect()]
        lines = ["%s,%r\n" % (row[date], value) for row, value in zip(asked, forecast)]
        self.write("result.csv", "%s,%s\n" % (date, target) + "".join(lines))
        scores = score([float(row[target]) for row in checked], predictions)
        return dict(scores, trainRows=cut, features=6, trees=model.getNumTrees, fitSeconds=seconds)

    def read(self, param, columns):
        path = self.file(param)
        with self.opened(path, "utf-8-sig") as source:
            rows = csv.DictReader(source)
            missing = [name for name in columns if name not in (rows.fieldnames or [])]
            if missing:
                raise Failed("%s: it has no column %s" % (path, ", ".join(missing)))
            return list(rows)


def parse_day(text):
    digits = text.replace("-", "")
    return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))


def score(truth, predictions):
    rows = len(truth)
    errors = [predicted - actual for actual, predicted in zip(truth, predictions)]
    mse = sum(error * error for error in errors) / rows
    mean = sum(truth) / rows
    spread = sum((actual - mean) ** 2 for actual in truth)
    relative = [abs(error / actual) for actual, error in zip(truth, errors) if actual != 0]
    return {
        "rows": rows,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": sum(abs(error) for error in errors) / rows,
        "r2": None if spread == 0 else 1 - mse * rows / spread,
        "mape": sum(relative) / len(relative) if relative else None,
    }


if __name__ == "__main__":
    run_application(lambda *parts: Native(*parts).run())
