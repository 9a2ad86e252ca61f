"""What the differential programs share: the operator's offline commands, a warm Spark, and the comparison of both.

The way of an application: `spark-operator diff --print-command` says the spark-submit command that means the same,
SparkObjects.java runs it on a real Spark, `spark-operator diff --recorded` compares the result with ours.
"""
import json
import os
import re
import subprocess
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ANSWER_SECONDS = 120
REFUSAL = re.compile(r"^[^\n]*?: (?P<ns>[^/\s:]*)/(?P<name>[^:\n]+): (?P<text>.*)$")


class Broken(Exception):
    """One of the programs does not do what it is there for."""


class Spark:
    """The harness as a child process: one submission a line."""

    def __init__(self, version):
        self.process = subprocess.Popen([os.path.join(HERE, "spark"), "run", version], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def submit(self, command):
        watch = threading.Timer(ANSWER_SECONDS, self.process.kill)
        watch.start()
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            watch.cancel()
        if not line:
            raise Broken("spark run: no answer for %s" % command["id"])
        answer = json.loads(line)
        if answer.get("id") != command["id"]:
            raise Broken("spark run: answer for %s instead of %s" % (answer.get("id"), command["id"]))
        answer.pop("id")
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def name_of(app):
    return app["metadata"]["name"]


class Operator:
    """The offline commands of the binary."""

    def __init__(self, program, ignore=None):
        self.program = os.path.abspath(program)
        self.ignore = ["--ignore", ignore] if ignore and os.path.exists(ignore) else []
        if not os.access(self.program, os.X_OK):
            raise Broken("%s: no such program" % program)

    def run(self, apps, command, *flags):
        """The command on a file with all of apps: (status, stdout, stderr)."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "apps.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"apiVersion": "v1", "kind": "List", "items": apps}, file)
            done = subprocess.run([self.program, command, "-f", path, *flags], capture_output=True, timeout=300)
        if done.returncode < 0 or b"Sanitizer" in done.stderr:
            raise Broken("%s died: %s" % (command, done.stderr.decode("utf-8", "replace")[:2000]))
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def commands(self, apps):
        """The commands that say the same, by name, and why the others are refused, by name."""
        status, out, errors = self.run(apps, "diff", "--print-command")
        commands = {}
        refusals = {}
        for answer in map(json.loads, out.split("\n")[:-1]):
            if "error" in answer:
                refusals[answer["id"]] = answer["error"]
            else:
                commands[answer["id"]] = answer
        for line in errors.split("\n"):
            match = REFUSAL.match(line)
            if match and match["name"] not in commands:
                refusals[match["name"]] = "\n".join(filter(None, [refusals.get(match["name"]), match["text"]]))
        silent = [a for a in apps if name_of(a) not in commands and name_of(a) not in refusals]
        if silent and len(apps) == 1:
            refusals[name_of(apps[0])] = errors or "status %d without a word" % status
            silent = []
        for app in silent:
            more = self.commands([app])
            commands.update(more[0])
            refusals.update(more[1])
        return commands, refusals

    def differences(self, apps, folder):
        """What differs from the recordings in folder, by name."""
        found = {}
        if not apps:
            return found
        status, out, errors = self.run(apps, "diff", "--recorded", folder, *self.ignore)
        if status == 0:
            return found
        if len(apps) == 1:
            return {name_of(apps[0]): (out + errors).strip() or "status %d without a word" % status}
        middle = len(apps) // 2
        found.update(self.differences(apps[:middle], folder))
        found.update(self.differences(apps[middle:], folder))
        return found

    def rendered(self, apps):
        """The List that render makes of apps, or None, and its messages."""
        status, out, errors = self.run(apps, "render", "-o", "json")
        return (json.loads(out)["items"] if status == 0 else None), errors


class Verdict:
    """What became of an application: kind is same, differs, refused (by us) or spark (refuses, and we do not)."""

    def __init__(self, kind, text=""):
        self.kind = kind
        self.text = text


class Comparison:
    """Both sides together."""

    def __init__(self, program, version, ignore=None):
        self.operator = Operator(program, ignore)
        self.spark = Spark(version)

    def verdicts(self, apps):
        """The Verdict of each application, by name."""
        result = {}
        commands, refusals = self.operator.commands(apps)
        for name, text in refusals.items():
            result[name] = Verdict("refused", text)
        with tempfile.TemporaryDirectory() as folder:
            taken = []
            for app in apps:
                name = name_of(app)
                if name not in commands:
                    continue
                recording = self.spark.submit(commands[name])
                if recording.get("error"):
                    result[name] = Verdict("spark", recording["error"])
                    continue
                with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
                    json.dump(recording, file)
                taken.append(app)
            found = self.operator.differences(taken, folder)
        for app in taken:
            name = name_of(app)
            result[name] = Verdict("differs", found[name]) if name in found else Verdict("same")
        return result

    def verdict(self, app):
        return self.verdicts([app])[name_of(app)]

    def close(self):
        self.spark.close()


def one_line(text, width=200):
    """Text for the end of a line: its first line, without what a terminal would act upon."""
    line = next((part for part in text.split("\n") if part.strip()), "")
    return "".join(c if c.isprintable() else "?" for c in line)[:width]
