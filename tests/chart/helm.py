"""Renderings of the chart, as text and as objects. $HELM: the binary (default: helm)."""
import json
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CHART = os.path.join(TOP, 'charts', 'spark-operator')
HELM = os.environ.get('HELM', 'helm')
# what a cluster with Prometheus Operator and cert-manager has
EXTRA_APIS = ('monitoring.coreos.com/v1', 'monitoring.coreos.com/v1/PodMonitor',
              'monitoring.coreos.com/v1/ServiceMonitor', 'monitoring.coreos.com/v1/PrometheusRule',
              'cert-manager.io/v1', 'cert-manager.io/v1/Certificate', 'cert-manager.io/v1/Issuer')


def template(values, release='spark', namespace='spark-operator', apis=EXTRA_APIS, chart=CHART):
    """`helm template`; values: a dictionary, or the path of a values file. Returns (text, error): one is None."""
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
        path = values
        if isinstance(values, dict):
            json.dump(values, file)
            file.flush()
            path = file.name
        command = [HELM, 'template', release, chart, '-n', namespace, '-f', path]
        for api in apis:
            command += ['--api-versions', api]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout, None) if done.returncode == 0 else (None, done.stderr.strip())


def objects(text):
    """The objects of a rendering. Raises ValueError when it is no YAML."""
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as file:
        file.write(text)
        file.flush()
        done = subprocess.run([HELM, 'template', 'x', os.path.join(HERE, 'json'), '--set-file', 'text=' + file.name],
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.strip())
    items = json.loads(re.sub(r'\A---\n# Source:.*\n', '', done.stdout))['items']
    for item in items:
        if 'Error' in item:
            raise ValueError(item['Error'])
    return items


def repeated_keys(text):
    """Members that occur twice in one mapping of block-style YAML: readers silently take the last."""
    out, stack, block = [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.lstrip(' ')
        indent = len(line) - len(bare)
        if not bare or bare.startswith('#'):
            continue
        if block is not None and indent > block:
            continue
        block = None
        if line.startswith('---'):
            stack = []
            continue
        while bare.startswith('- '):
            while stack and stack[-1][0] >= indent + 1:
                stack.pop()
            rest = bare[2:].lstrip(' ')
            indent += len(bare) - len(rest)
            bare = rest
        key = re.match(r'("[^"]*"|[^\s"\'{\[#&*!|>][^:#]*):(\s|$)', bare)
        if not key:
            continue
        if re.search(r':\s+[|>][-+0-9]*$', bare):
            block = indent
        while stack and stack[-1][0] > indent:
            stack.pop()
        if not stack or stack[-1][0] < indent:
            stack.append((indent, set()))
        if key[1] in stack[-1][1]:
            out.append(f'line {number}: {key[1]}')
        stack[-1][1].add(key[1])
    return out
