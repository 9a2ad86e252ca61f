"""Renderings of the chart beside the program: its flags, its webhook configurations."""
import json
import subprocess
import tempfile
import threading

import helm

NO_FLAG = '--there-is-no-such-flag'
NO_SERVER = json.dumps({'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'x',
                        'users': [{'name': 'x', 'user': {}}],
                        'clusters': [{'name': 'x', 'cluster': {'server': 'http://127.0.0.1:1'}}],
                        'contexts': [{'name': 'x', 'context': {'cluster': 'x', 'user': 'x'}}]})


def expanded(args, namespace):
    """Arguments as the kubelet hands them over, of the one variable that the chart may use."""
    return [a.replace('$(POD_NAMESPACE)', namespace) for a in args]


def arguments(binary, renderings):
    """The parser stops at the first argument that it refuses: that has to be the one added at the end."""
    tried = {}
    for r in renderings:
        for args in r.arguments():
            tried.setdefault(tuple(expanded(args, r.namespace)), r.name)
    for args, name in tried.items():
        done = subprocess.run([binary, *args, NO_FLAG], capture_output=True, text=True, check=False, timeout=30)
        if done.returncode == 0 or NO_FLAG not in done.stderr:
            yield f'{name}: {done.stderr.strip() or done.stdout.strip()} ({" ".join(args)})'


def silent(binary, renderings):
    """The program says at its start which given options mean nothing here: none of them may be the chart's own."""
    for r in renderings:
        if r.name not in ('nothing.yaml', 'new-quickstart.yaml', 'old-quickstart.yaml'):
            continue
        for args in r.arguments():
            with tempfile.NamedTemporaryFile('w') as file:
                file.write(NO_SERVER)
                file.flush()
                command = [binary, *args, '--kubeconfig=' + file.name, '--metrics-bind-address=0',
                           '--health-probe-bind-address=0', '--webhook-bind-address=127.0.0.1', '--webhook-port=39443']
                said = output_until(command, 'starting')
            for line in said:
                if 'no effect' in line or 'unknown' in line:
                    yield f'{r.name}: {line.strip()}'
            if not any('starting' in line for line in said):
                yield f'{r.name}: it did not start: {"".join(said)}'


def output_until(command, text):
    """Lines of its standard error up to the one with text; then it is ended."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        timer = threading.Timer(20, process.kill)
        timer.start()
        lines = []
        for line in process.stderr:
            lines.append(line)
            if text in line:
                break
        timer.cancel()
        process.kill()
        return lines


def bare(configuration):
    """What has to be equal: all but labels, annotations and the port, which only the Service decides."""
    hooks = json.loads(json.dumps(configuration['webhooks']))
    for hook in hooks:
        hook['clientConfig'].get('service', {}).pop('port', None)
    return configuration['metadata']['name'], hooks


def flags_of(r):
    """Those of `webhook config` that say what the rendering says."""
    mutating = r.of('MutatingWebhookConfiguration')[0]
    pods, apps = mutating['webhooks'][:2]
    service = pods['clientConfig']['service']
    selector = apps['namespaceSelector'].get('matchLabels', {})
    listed = [e['values'] for e in apps['namespaceSelector'].get('matchExpressions', []) if e['operator'] == 'In']
    flags = {'webhook-svc-name': service['name'], 'webhook-svc-namespace': service['namespace'],
             'mutating-webhook-name': mutating['metadata']['name'],
             'validating-webhook-name': r.of('ValidatingWebhookConfiguration')[0]['metadata']['name'],
             'webhook-fail-policy': apps['failurePolicy'], 'webhook-pod-fail-policy': pods['failurePolicy'],
             'webhook-timeout': f"{apps['timeoutSeconds']}s"}
    if listed:
        flags['namespaces'] = ','.join(listed[0])
    if selector:
        flags['webhook-namespace-selector'] = ','.join(f'{k}={v}' for k, v in sorted(selector.items()))
    return tuple(f'--{k}={v}' for k, v in flags.items())


def registrations(binary, renderings):
    known = {}
    for r in renderings:
        found = r.of('MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration')
        if not found:
            continue
        given = flags_of(r)
        if given not in known:
            done = subprocess.run([binary, 'webhook', 'config', *given], capture_output=True, text=True, check=False)
            known[given] = helm.objects(done.stdout) if done.returncode == 0 else done.stderr.strip()
        if isinstance(known[given], str):
            yield f'{r.name}: {known[given]} ({" ".join(given)})'
            continue
        for o in found:
            want = [w for w in known[given] if w['kind'] == o['kind']]
            if not want:
                yield f"{r.name}: the program prints no {o['kind']}"
            elif bare(want[0]) != bare(o):
                yield f"{r.name}: {o['kind']}: {first_difference(bare(want[0]), bare(o))}"


def first_difference(want, got, path=''):
    if isinstance(want, dict) and isinstance(got, dict):
        for key in {**want, **got}:
            if want.get(key) != got.get(key):
                return first_difference(want.get(key), got.get(key), f'{path}.{key}')
    if isinstance(want, (list, tuple)) and isinstance(got, (list, tuple)) and len(want) == len(got):
        for i, (a, b) in enumerate(zip(want, got)):
            if a != b:
                return first_difference(a, b, f'{path}[{i}]')
    return f'{path}: the program says {json.dumps(want)}, the chart {json.dumps(got)}'
