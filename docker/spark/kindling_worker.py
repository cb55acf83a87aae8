"""What runs in Spark's Python workers: hands partitions to a Node process and carries opaque bytes. Python 3.7 and later.

A module of its own, imported by every worker, so that what it keeps (the Node process) lasts as long as the worker: Spark reuses a
worker for one task after the other, and each core has one.
"""

import atexit
import json
import os
import struct
import subprocess

from pyspark.accumulators import AccumulatorParam

# A frame: the lengths of the header and the number of blobs, the header (JSON), each blob's length, the blobs. Big-endian.
HEAD = struct.Struct(">II")
# Marks an error in the text of an exception, which is all that Spark brings back from a worker.
ERROR_MARK = "kindling-error "
# What a task process gets of its environment: no secret of Spark's or the cluster's. A name that ends in "_" stands for all that begin so.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")


def write_frame(stream, header, blobs=()):
    encoded = json.dumps(header).encode("utf-8")
    lengths = struct.pack(">%dI" % len(blobs), *[len(blob) for blob in blobs])
    stream.write(HEAD.pack(len(encoded), len(blobs)) + encoded + lengths)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def read_frame(stream):
    """The next frame as (header, blobs); None at the end of the stream."""
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    header_bytes, count = HEAD.unpack(head)
    header = json.loads(_exactly(stream, header_bytes).decode("utf-8"))
    lengths = struct.unpack(">%dI" % count, _exactly(stream, 4 * count))
    return header, [_exactly(stream, length) for length in lengths]


def _exactly(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the other side of a pipe has gone")
    return data


def find_file(name):
    """A file that came with the application: beside the program, among Spark's files, or in the container's folder."""
    from pyspark import SparkFiles

    places = [os.getcwd(), os.path.dirname(os.path.abspath(__file__))]
    try:
        places.insert(0, SparkFiles.getRootDirectory())
    except Exception:  # No Spark context or worker yet.
        pass
    for place in places:
        path = os.path.join(place, name)
        if os.path.exists(path):
            return path
    raise IOError("%s did not come with the application (looked in %s)" % (name, ", ".join(places)))


def node_command(node, script, *arguments):
    """Node with a script that came with the application. No experimental notices: they would fill executors' logs."""
    return [node, "--no-warnings", find_file(script)] + list(arguments)


def start_node(node, script, arguments=(), environment=None):
    try:
        return subprocess.Popen(
            node_command(node, script, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise RuntimeError(
            "Node cannot be started as %r (%s): install Node 20 or later on every machine of the cluster, or say where it is "
            "with --conf spark.kindling.node=PATH" % (node, error)
        )


class TaskProcess(object):
    """The Node process of this worker."""

    current = None

    def __init__(self, node, environment, job):
        names = PASSED_ON + tuple(environment)
        families = tuple(name for name in names if name.endswith("_"))
        passed = {name: value for name, value in os.environ.items() if name in names or name.startswith(families)}
        self.started_with = (node, environment, job)
        # The job's id is for those who look at a machine's processes.
        self.process = start_node(node, "task.mjs", [job], passed)

    @classmethod
    def get(cls, *wanted):
        current = cls.current
        if current is None or current.process.poll() is not None or current.started_with != wanted:
            if current is not None:
                current.end()
            current = cls.current = cls(*wanted)
        return current

    def run(self, stage, partition, blobs, broadcast):
        """One task's reply, (header, [meta, output of each bucket…]). `broadcast()` gives the stage's broadcast value."""
        try:
            write_frame(self.process.stdin, {"stage": stage, "partition": partition}, blobs)
            while True:
                frame = read_frame(self.process.stdout)
                if frame is None:
                    raise EOFError("it has ended with code %s" % self.process.wait())
                if frame[0]["type"] == "result":
                    return frame
                if frame[0]["type"] == "need-broadcast":
                    write_frame(self.process.stdin, {}, [broadcast()])
                elif frame[0]["type"] == "need-bundle":
                    with open(find_file(stage["bundleFile"]), "rb") as bundle:
                        write_frame(self.process.stdin, {}, [bundle.read()])
        except (EOFError, OSError) as error:
            self.end()
            message = "The task process broke on partition %d: %s" % (partition, error)
            raise RuntimeError(ERROR_MARK + json.dumps({"code": "TaskCrashed", "message": message, "retryable": True}))

    def end(self):
        TaskProcess.current = None
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass


@atexit.register
def _end_task_process():
    if TaskProcess.current is not None:
        TaskProcess.current.end()


class Counters(object):
    """What a stage's tasks tell as they end: accumulators, which Spark brings to the driver with each result."""

    def __init__(self, context):
        self.done = context.accumulator(0)
        self.units = context.accumulator(0.0)
        self.failures = context.accumulator([], ListParam())


class ListParam(AccumulatorParam):
    def zero(self, value):
        return []

    def addInPlace(self, one, other):
        return one + other


def run_partition(config, partition, blobs, counters, broadcast):
    """Runs one task. What no other try can mend is a result too: Spark would only try it again. Gives (meta, outputs), or None."""
    process = TaskProcess.get(config["node"], config["environment"], config["stage"]["job"])
    header, outputs = process.run(config["stage"], partition, blobs, broadcast)
    if header["ok"]:
        counters.done.add(1)
        counters.units.add(header["units"])
        return outputs[0], outputs[1:]
    error = header["error"]
    if error["retryable"]:
        raise RuntimeError(ERROR_MARK + json.dumps(error))
    counters.failures.add([(partition, json.dumps(error))])
    return None

