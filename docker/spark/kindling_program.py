"""What the programs of this folder have in common as Spark applications: arguments, the folder for results, the status that they
tell. Python 3.7 and later.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from urllib.parse import urlparse
from urllib.request import url2pathname

from pyspark import SparkConf, SparkContext

from kindling_worker import find_file

# Seconds between two looks at how a job goes on, and between two writes of the status where it is not a local file.
LOOK_EVERY = 0.5
REMOTE_STATUS_EVERY = 5.0
# What marks a line of standard output as a status.
STATUS_MARK = "kindling-status "


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, help="folder or URL for results")
    parser.add_argument("--input", action="append", default=[], help="JSON: a file's name in the job, and where it lies")
    parser.add_argument("--owner", type=int, help="a process of this machine without which the job is of no use")
    options = parser.parse_args()
    options.input = [(name, local_path(place)) for name, place in map(json.loads, options.input)]
    return options


def local_path(place):
    """The path that a `file://` URL stands for; all else as it is."""
    return url2pathname(urlparse(place).path) if place.startswith("file://") else place


def run_application(work):
    """Calls `work(context, job, output, options)` in a Spark application, and ends with what it gives as the exit code."""
    options = parse_arguments()

    def stop(_number, _frame):
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)
    context = SparkContext(conf=SparkConf())
    try:
        with open(find_file("job.json")) as file:
            job = json.load(file)
        succeeded = work(context, job, Output(context, options.out), options)
    finally:
        context.stop()
    sys.exit(0 if succeeded else 1)


def about(context):
    """What a status says of Spark itself."""
    return {
        "spark": "Spark %s, %s" % (context.version, context.master),
        "application": context.applicationId,
        "page": context.uiWebUrl,
    }


class Output(object):
    """The folder for results: a local one, or one on any file system that Hadoop knows, which gets the files at the end."""

    def __init__(self, context, location):
        self.location = local_path(location)
        self.is_local = "://" not in self.location
        self.context = context
        self.folder = self.location if self.is_local else tempfile.mkdtemp(prefix="kindling-")
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder)
        self.sent_at = 0.0

    def tell(self, status):
        """Keeps a status, and prints it as one line."""
        text = json.dumps(status)
        self._keep(text, status["state"] != "running")
        print(STATUS_MARK + text)
        sys.stdout.flush()

    def _keep(self, text, is_last):
        path = os.path.join(self.folder, "status.json")
        with open(path + ".part", "w") as file:
            file.write(text)
        os.rename(path + ".part", path)
        if self.is_local:
            return
        if is_last:
            for name in sorted(os.listdir(self.folder), key=lambda name: (name == "status.json", name)):
                self._send(name)
            shutil.rmtree(self.folder, ignore_errors=True)
        elif time.time() - self.sent_at >= REMOTE_STATUS_EVERY:
            self.sent_at = time.time()
            self._send("status.json")

    def _send(self, name):
        jvm = self.context._jvm
        target = jvm.org.apache.hadoop.fs.Path(self.location.rstrip("/") + "/" + name)
        source = jvm.org.apache.hadoop.fs.Path("file://" + os.path.join(self.folder, name))
        system = target.getFileSystem(self.context._jsc.hadoopConfiguration())
        system.copyFromLocalFile(False, True, source, target)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def watch(look, owner, give_up):
    """Calls `look` again and again in a thread of its own, until the returned function is called; `give_up` once when the owner, a
    process id or None, has gone."""
    ending = threading.Event()

    def run():
        while not ending.wait(LOOK_EVERY):
            if owner is not None and not is_alive(owner):
                sys.stderr.write("kindling: process %d, for which this job ran, has gone: giving up\n" % owner)
                give_up()
                return
            try:
                look()
            except Exception as error:  # Spark is ending, and the main thread hears why.
                sys.stderr.write("kindling: no progress can be told: %s\n" % error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def end():
        ending.set()
        thread.join()

    return end
