"""What `record` and `compare` share: an API client, watches, and the shape of a recording. Standard library only.

A recording is what an operator made of one application, without what the API server fills in by default and with
words such as <uuid> or <ip> for whatever differs from run to run, so that two recordings can be compared as they are.
"""
import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request

GROUP = '/apis/sparkoperator.k8s.io/v1beta2'
APP_LABEL = 'sparkoperator.k8s.io/app-name'
KINDS = {'pods': '/api/v1', 'configmaps': '/api/v1', 'services': '/api/v1', 'sparkapplications': GROUP,
         'ingresses': '/apis/networking.k8s.io/v1'}

# Of the API server's, the scheduler's or the garbage collector's making, whatever the value.
DROPPED = {'managedFields', 'resourceVersion', 'creationTimestamp', 'selfLink', 'generation', 'deletionTimestamp',
           'deletionGracePeriodSeconds', 'nodeName', 'uid'}
# What the API server writes where nothing was said: left out, so that saying it or not is the same.
DEFAULTS = {'terminationMessagePath': '/dev/termination-log', 'terminationMessagePolicy': 'File',
            'enableServiceLinks': True, 'preemptionPolicy': 'PreemptLowerPriority', 'priority': 0,
            'dnsPolicy': 'ClusterFirst', 'schedulerName': 'default-scheduler', 'sessionAffinity': 'None',
            'internalTrafficPolicy': 'Cluster', 'ipFamilyPolicy': 'SingleStack', 'ipFamilies': ['IPv4'],
            'tolerations': [], 'securityContext': {}}
# Random or dated text, and the word for it.
WORDS = [(re.compile(pattern), word) for pattern, word in (
    (r'\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b', '<uuid>'),
    (r'\b[0-9a-f]{32}\b', '<hex32>'),
    (r'\b[0-9a-f]{16}\b', '<hex16>'),
    (r'\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)', '<time>'),
    (r'\b1[6-9]\d{11}\b', '<ms>'),
    (r'kube-api-access-[a-z0-9]{5}\b', 'kube-api-access'))]


class Api:
    """The cluster of $KUBECONFIG, through `kubectl proxy`."""

    def __init__(self):
        self.proxy = subprocess.Popen(['kubectl', 'proxy', '--port=0'], stdout=subprocess.PIPE, text=True)
        self.base = 'http://' + self.proxy.stdout.readline().split()[-1]
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def close(self):
        self.proxy.terminate()
        self.proxy.wait()

    def open(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {'Content-Type': 'application/json'}
        return self.opener.open(urllib.request.Request(self.base + path, data, headers, method=method))

    def call(self, method, path, body=None):
        try:
            with self.open(method, path, body) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b'{}')


class Seen:
    """Everything that watches of one namespace saw: per uid the last living version, and each application's states."""

    def __init__(self, api, namespace):
        self.api, self.namespace = api, namespace
        self.objects, self.states, self.deleted = {}, {}, set()
        self.changed = threading.Condition()
        for kind, base in KINDS.items():
            path = f'{base}/namespaces/{namespace}/{kind}'
            threading.Thread(target=self.watch, args=(kind, path), daemon=True).start()

    def watch(self, kind, path):
        while True:
            try:
                listed = self.api.call('GET', path)[1]
                what = {'apiVersion': listed['apiVersion'], 'kind': listed['kind'][:-len('List')]}
                for item in listed.get('items') or []:
                    self.put(kind, 'ADDED', {**what, **item})
                version = listed['metadata']['resourceVersion']
                with self.api.open('GET', f'{path}?watch=1&timeoutSeconds=3000&resourceVersion={version}') as stream:
                    for line in stream:
                        event = json.loads(line)
                        if event['type'] == 'ERROR':
                            break
                        self.put(kind, event['type'], event['object'])
            except (OSError, KeyError, ValueError):
                time.sleep(1)

    def put(self, kind, what, item):
        uid = item['metadata']['uid']
        with self.changed:
            if what == 'DELETED':
                self.deleted.add(uid)
            if (what != 'DELETED' and 'deletionTimestamp' not in item['metadata']) or (kind, uid) not in self.objects:
                self.objects[kind, uid] = item
            if kind == 'sparkapplications' and what != 'DELETED':
                state = item.get('status', {}).get('applicationState', {}).get('state', '')
                states = self.states.setdefault(uid, [])
                if states[-1:] != [state]:
                    states.append(state)
            self.changed.notify_all()

    def until(self, seconds, test):
        with self.changed:
            return self.changed.wait_for(test, seconds)

    def of(self, kind, test):
        return [item for (k, _), item in list(self.objects.items()) if k == kind and test(item)]


# ---- the shape of a recording -----------------------------------------------------------------------------------

def properties(text):
    """A Java properties file as a dictionary, comments dropped."""
    escapes = {'n': '\n', 't': '\t', 'r': '\r', 'f': '\f'}

    def letter(match):
        return chr(int(match[1][1:], 16)) if len(match[1]) > 1 else escapes.get(match[1], match[1])

    out = {}
    for line in text.splitlines():
        if line and line[0] not in '#!':
            parts = re.match(r'((?:\\.|[^\\=:])*)[=:]?(.*)', line).groups()
            key, value = (re.sub(r'\\(u[0-9a-fA-F]{4}|.)', letter, part) for part in parts)
            out[key] = value
    return out


def normal(x, addresses):
    """x without what differs from run to run; addresses: those that are known, and the word for each."""
    if isinstance(x, dict):
        out = {normal(k, {}): '<port>' if k == 'nodePort' else normal(v, addresses)
               for k, v in x.items() if k not in DROPPED and v is not None}
        if isinstance(out.get('spark.properties'), str):
            out['spark.properties'] = properties(out['spark.properties'])
        return out
    if isinstance(x, list):
        return [normal(v, addresses) for v in x]
    if isinstance(x, str):
        for address, word in addresses.items():
            x = re.sub(r'(?<![\d.])' + re.escape(address) + r'(?![\d.])', word, x)
        for pattern, word in WORDS:
            x = pattern.sub(word, x)
    return x


def of_the_api_server(item):
    """Whether it put this into a list by itself: the account's token, tolerations that every pod has."""
    return isinstance(item, dict) and (item.get('name') == 'kube-api-access' or
                                       item.get('key', '').startswith('node.kubernetes.io/'))


def sort_properties(env):
    """Of an executor's SPARK_JAVA_OPT_n those made from properties have the order of a hash map: sort them."""
    options = [e for e in env if isinstance(e, dict) and e.get('name', '').startswith('SPARK_JAVA_OPT_') and
               e.get('value', '').startswith('-Dspark.')]
    options.sort(key=lambda e: int(e['name'].rpartition('_')[2]))
    for option, value in zip(options, sorted(e['value'] for e in options)):
        option['value'] = value


def plain(x):
    """A normal pod or Service without what the API server added by default."""
    if isinstance(x, dict):
        out = {k: plain(v) for k, v in x.items()}
        return {k: v for k, v in out.items() if k not in DEFAULTS or v != DEFAULTS[k]}
    if isinstance(x, list):
        out = [plain(v) for v in x if not of_the_api_server(v)]
        sort_properties(out)
        return out
    return x


def pod_status(status):
    def one(container):
        kind, detail = next(iter((container.get('state') or {'unknown': {}}).items()))
        reason = 'ImagePullBackOff' if detail.get('reason') == 'ErrImagePull' else detail.get('reason')
        parts = (('state', kind), ('reason', reason), ('exitCode', detail.get('exitCode')))
        return {k: v for k, v in parts if v is not None}

    lists = ('containerStatuses', 'initContainerStatuses')
    return {'phase': status.get('phase'), 'qosClass': status.get('qosClass'),
            **{k: {c['name']: one(c) for c in status[k]} for k in lists if status.get(k)}}


def text_of(x, indent=0, width=118):
    """JSON with a line for whatever has room on one."""
    line = json.dumps(x, sort_keys=True, ensure_ascii=False)
    if indent + len(line) <= width or not isinstance(x, (dict, list)):
        return line
    blank = '\n' + ' ' * (indent + 1)
    if isinstance(x, list):
        return '[' + ','.join(blank + text_of(v, indent + 1) for v in x) + ']'
    members = (json.dumps(k, ensure_ascii=False) + ': ' + text_of(x[k], indent + 1) for k in sorted(x))
    return '{' + ','.join(blank + member for member in members) + '}'
