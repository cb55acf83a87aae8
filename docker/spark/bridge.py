"""Runs a Kindling job on Spark: starts the job's driver as a Node process beside Spark's own and turns its stages into RDDs.

Values pass as opaque bytes: this program knows partitions, buckets and ordinals, and never looks inside. Python 3.7 and later,
Spark 3.4 and later. See README.md for how the parts fit together, and kindling_worker.py for what runs on executors.
"""

import json
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

from pyspark import StorageLevel

import kindling_worker
from kindling_program import about, run_application, watch
from kindling_worker import Counters, find_file, read_frame, start_node, write_frame

# Requests of the driver that are answered at a time. A thread has a connection to the JVM, and a job group, of its own.
THREADS = 32


def identity(key):
    return key


class Stage(object):
    """A stage's outputs. `held`: partition p of `rdd` has the meta and the only output of task p. Else `rdd` is shuffled: partition b
    has (p, output) of every task p, and one more partition at the end has (p, meta)."""

    def __init__(self, rdd, tasks, buckets, held):
        self.rdd = rdd
        self.tasks = tasks
        self.buckets = buckets
        self.held = held


class StageFailed(Exception):
    """Carries the error of a task as JSON text."""


class Bridge(object):
    def __init__(self, context, job):
        self.context = context
        self.job = job
        self.node = context.getConf().get("spark.kindling.node", os.environ.get("KINDLING_NODE", "node"))
        self.stages = {}
        self.broadcasts = {}
        self.watched = {}
        self.lock = threading.Lock()

    # What the driver asks for.

    def keep(self, header, blobs):
        self.broadcasts[header["key"]] = self.context.broadcast(blobs[0])
        return {}, []

    def run(self, header, blobs):
        ordinal, tasks = header["ordinal"], header["tasks"]
        counters = Counters(self.context)
        group = "%s/%d" % (self.job, ordinal)
        with self.lock:
            self.watched[ordinal] = (group, counters, tasks)
        self.context.setJobGroup(group, "%s: %s" % (self.job, header["label"]))
        try:
            stage = self._stage(header, blobs, counters)
            metas = self._materialise(stage)
        except Exception as error:
            raise StageFailed(first_failure(counters) or error_of(error))
        finally:
            with self.lock:
                self.watched.pop(ordinal, None)
        failure = first_failure(counters)
        if failure is not None:
            raise StageFailed(failure)
        self.stages[ordinal] = stage
        return {}, metas

    def load(self, header, _blobs):
        """One bucket of consecutive tasks of a stage."""
        self.context.setJobGroup(self.job, "%s: reading outputs of stage %d" % (self.job, header["ordinal"]))
        stage = self.stages[header["ordinal"]]
        wanted = range(header["from"], header["to"])
        if stage.held:
            found = self.context.runJob(stage.rdd, output_of_held, list(wanted))
        else:
            at = {task: index for index, task in enumerate(wanted)}
            found = [None] * len(at)
            for task, output in self.context.runJob(stage.rdd, list, [header["bucket"]]):
                if task in at:
                    found[at[task]] = output
        return {}, [bytes(output) for output in found]

    # Stages as RDDs.

    def _stage(self, header, blobs, counters):
        tasks, buckets = header["tasks"], header["buckets"]
        config = {"node": self.node, "environment": header["environment"], "stage": header["stage"]}
        broadcast = self._broadcast(header["broadcast"])
        ran = self._inputs(header, blobs).mapPartitionsWithIndex(task_runner(config, tasks, counters, broadcast))
        if buckets == 1:
            return Stage(ran.mapPartitions(flat).persist(StorageLevel.MEMORY_AND_DISK), tasks, 1, True)
        shuffled = ran.mapPartitionsWithIndex(by_bucket(buckets)).partitionBy(buckets + 1, identity)
        return Stage(shuffled.mapPartitions(values_of), tasks, buckets, False)

    def _materialise(self, stage):
        """Runs all tasks of a stage; their metas in the order of partitions."""
        if stage.held:
            return [bytes(meta) for meta in self.context.runJob(stage.rdd, meta_of_held, list(range(stage.tasks)))]
        # The map side writes all buckets; of the reduce side only the metas are read now.
        metas = dict(self.context.runJob(stage.rdd, list, [stage.buckets]))
        return [bytes(metas[task]) for task in range(stage.tasks)]

    def _inputs(self, header, blobs):
        """An RDD whose first partitions have the blobs that the tasks read, in their order."""
        kind = header["inputs"]
        if kind == "values":
            return self.context.parallelize(blobs, header["tasks"])
        parts = [tuple(part) for part in header["parts"]]
        source = self.stages[parts[0][0]]
        is_whole = parts == [(parts[0][0], task) for task in range(source.tasks)]
        if kind == "outputs" and is_whole and source.held:
            return source.rdd.mapPartitions(output_of_held)
        if kind == "buckets" and is_whole and not source.held:
            return source.rdd.mapPartitions(in_order)
        return self._gathered(parts, kind == "buckets", header["tasks"])

    def _gathered(self, parts, by_buckets, tasks):
        """Any outputs of any stages: shuffled to the tasks that read them."""
        positions = {}
        for position, (ordinal, task) in enumerate(parts):
            positions.setdefault(ordinal, {}).setdefault(task, []).append(position)
        emitted = [
            self.stages[ordinal].rdd.mapPartitionsWithIndex(emitter(self.stages[ordinal].held, wanted, by_buckets, tasks))
            for ordinal, wanted in sorted(positions.items())
        ]
        return self.context.union(emitted).partitionBy(tasks, identity).mapPartitions(values_of).mapPartitions(in_order)

    def _broadcast(self, key):
        if key is None:
            return None
        if key not in self.broadcasts:
            ordinal, task = [int(part) for part in key.split("/")]
            blobs = self.load({"ordinal": ordinal, "bucket": 0, "from": task, "to": task + 1}, [])[1]
            self.broadcasts[key] = self.context.broadcast(blobs[0])
        return self.broadcasts[key]

    # What is shown.

    def progress(self):
        """How the stages under way stand. A stage whose failure cannot be mended is ended here."""
        tracker = self.context.statusTracker()
        with self.lock:
            watched = list(self.watched.items())
        report = []
        for ordinal, (group, counters, tasks) in watched:
            infos = [tracker.getStageInfo(stage) for job in tracker.getJobIdsForGroup(group) for stage in stages_of(tracker, job)]
            infos = [info for info in infos if info is not None]
            done = min(tasks, counters.done.value)
            report.append(
                {
                    "ordinal": ordinal,
                    "done": done,
                    "running": min(tasks - done, sum(info.numActiveTasks for info in infos)),
                    "retries": sum(info.numFailedTasks for info in infos),
                    "units": counters.units.value,
                }
            )
            if counters.failures.value:
                self.context.cancelJobGroup(group)
        return report

    def end(self):
        for stage in self.stages.values():
            stage.rdd.unpersist()
        for broadcast in self.broadcasts.values():
            broadcast.destroy()


def stages_of(tracker, job):
    info = tracker.getJobInfo(job)
    return [] if info is None else info.stageIds


# What runs in Spark's tasks. Each reads all of its records: a worker that leaves some is ended by Spark, and its Node process with it.


def task_runner(config, tasks, counters, broadcast):
    def run(partition, records):
        # A shuffled RDD has one partition more than tasks.
        blobs = [bytes(record) for record in records]
        if partition >= tasks:
            return iter([])
        value = None if broadcast is None else (lambda: broadcast.value)
        result = kindling_worker.run_partition(config, partition, blobs, counters, value)
        return iter([]) if result is None else iter([result])

    return run


def flat(records):
    for meta, outputs in records:
        yield meta
        for output in outputs:
            yield output


def by_bucket(buckets):
    def emit(partition, records):
        for meta, outputs in records:
            yield buckets, (partition, meta)
            for bucket, output in enumerate(outputs):
                yield bucket, (partition, output)

    return emit


def values_of(records):
    for _key, value in records:
        yield value


def in_order(records):
    return iter([output for _position, output in sorted(records, key=position_of)])


def position_of(record):
    return record[0]


def meta_of_held(records):
    return list(records)[:1]


def output_of_held(records):
    return iter(list(records)[1:2])


def emitter(held, wanted, by_buckets, tasks):
    """Sends (position, output) to the task that reads it: a task for each bucket, or one for each position."""

    def emit(partition, records):
        outputs = list(records)
        if held:
            outputs = [(partition, output) for output in outputs[1:2]]
        elif partition >= tasks:
            outputs = []
        for task, output in outputs:
            for position in wanted.get(task, []):
                yield ((0 if held else partition) if by_buckets else position), (position, output)

    return emit


# Errors.


def first_failure(counters):
    failures = sorted(counters.failures.value)
    return failures[0][1] if failures else None


def error_of(error):
    """The error of a task in what Spark says of a failed job, else Spark's own words."""
    text = str(error)
    found = re.search(re.escape(kindling_worker.ERROR_MARK) + r"(\{.*?\})\s*$", text, re.MULTILINE)
    if found:
        return found.group(1)
    java = getattr(error, "java_exception", None)
    message = str(java.getMessage() if java is not None else text).strip().split("\n")
    told = [line.strip() for line in message if line.strip().startswith(("RuntimeError", "OSError", "IOError"))]
    return json.dumps({"code": "SparkFailed", "message": "Spark: " + (told[-1] if told else message[0]), "retryable": False})


# The program.


def serve(bridge, output, driver, owner):
    """Answers the driver until it has said its last status; gives whether that was a success."""
    writing = threading.Lock()

    def send(header, blobs=()):
        try:
            with writing:
                write_frame(driver.stdin, header, blobs)
        except (OSError, ValueError):
            pass  # The driver has gone, and its last words are read below.

    def answer(header, blobs):
        try:
            reply, reply_blobs = getattr(bridge, header["op"])(header, blobs)
            send(dict(reply, id=header["id"]), reply_blobs)
        except StageFailed as failed:
            send({"id": header["id"], "error": json.loads(str(failed))})
        except Exception as error:
            send({"id": header["id"], "error": json.loads(error_of(error))})

    send(dict(about(bridge.context), event="hello"))
    end = watch(lambda: send({"event": "progress", "stages": bridge.progress()}), owner, driver.kill)
    pool = ThreadPoolExecutor(THREADS)
    state = "running"
    while state == "running":
        frame = read_frame(driver.stdout)
        if frame is None:
            break
        header, blobs = frame
        if header["op"] == "status":
            state = header["status"]["state"]
            output.tell(header["status"])
        else:
            pool.submit(answer, header, blobs)
    end()
    return state == "succeeded"


def drive(context, job, output, options):
    # What spark-submit has sent along already cannot be sent again.
    sent = [os.path.basename(path) for path in context.getConf().get("spark.files", "").split(",")]
    for name in ("task.mjs", job["bundleFile"]):
        if name not in sent:
            context.addFile(find_file(name))
    bridge = Bridge(context, job["job"])
    arguments = [find_file("job.json"), find_file(job["bundleFile"]), output.folder, json.dumps(options.input)]
    driver = start_node(bridge.node, "driver.mjs", arguments)
    try:
        succeeded = serve(bridge, output, driver, options.owner)
        bridge.end()
        return succeeded
    finally:
        driver.kill()
        driver.wait()
        context.cancelAllJobs()


if __name__ == "__main__":
    run_application(drive)
