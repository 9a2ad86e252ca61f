"""What holds for the objects of every rendering of the chart. A rule is a generator of complaints; its docstring is the
name of the check."""
import functools
import json
import os
import re

import helm

CLUSTER_KINDS = {'ClusterRole', 'ClusterRoleBinding', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration',
                 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'}
LABELS = ('helm.sh/chart', 'app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/version',
          'app.kubernetes.io/managed-by')
RBAC = 'rbac.authorization.k8s.io'


class Rendering:
    """The objects of one rendering with what is known of it, as in the first line of a values file: `namespace` of the
    release, `jobs`, the namespaces of Spark, and what is made elsewhere (`made accounts`, `made roles`, `made
    spark`)."""

    def __init__(self, name, items, known):
        self.name, self.items, self.values = name, items, known
        self.namespace, self.jobs = known.get('namespace', 'spark-operator'), set(known.get('jobs', []))

    def of(self, *kinds):
        return [o for o in self.items if o['kind'] in kinds]

    def named(self, kind, name, namespace=None):
        return [o for o in self.of(kind) if o['metadata']['name'] == name
                and (namespace is None or o['metadata'].get('namespace') == namespace)]

    def pods(self):
        """(object, pod template) of the Deployments."""
        return [(d, d['spec']['template']) for d in self.of('Deployment')]

    def arguments(self):
        """Argument vectors of the operator's own containers."""
        for _, pod in self.pods():
            for container in pod['spec']['containers']:
                if container['name'].startswith('spark-operator'):
                    yield container['args']

    def flag(self, name):
        """All values that --name is given."""
        start = f'--{name}='
        return {a[len(start):] for args in self.arguments() for a in args if a.startswith(start)}


def identity(o):
    meta = o['metadata']
    return f"{o['kind']} {meta.get('namespace', '-')}/{meta['name']}"


def is_test(o):
    """Objects of `helm test`, which do not belong to what is installed."""
    return o['metadata'].get('annotations', {}).get('helm.sh/hook') == 'test'


def matches(selector, labels):
    return bool(selector) and all((labels or {}).get(k) == v for k, v in selector.items())


# ---- rules ------------------------------------------------------------------------------------------------------

def unique(r):
    """no object is there twice"""
    seen = set()
    for o in r.items:
        key = (o['apiVersion'].split('/')[0], identity(o))
        if key in seen:
            yield identity(o)
        seen.add(key)


def names(r):
    """names are ones that Kubernetes accepts"""
    for o in r.items:
        name = o['metadata']['name']
        limit = 63 if o['kind'] == 'Service' else 253
        if len(name) > limit or not re.fullmatch(r'[a-z0-9]([-a-z0-9.]*[a-z0-9])?', name):
            yield identity(o)


def namespaces(r):
    """every namespaced object names its namespace, the release's or one of Spark's"""
    for o in r.items:
        namespace = o['metadata'].get('namespace')
        if o['kind'] in CLUSTER_KINDS:
            if namespace:
                yield f'{identity(o)} has a namespace'
        elif namespace not in {r.namespace, *r.jobs}:
            yield f'{identity(o)} is neither in {r.namespace} nor in {sorted(r.jobs)}'


def labels(r):
    """every object has the standard labels, with valid values"""
    for o in r.items:
        found = o['metadata'].get('labels', {})
        for key in LABELS:
            if not re.fullmatch(r'[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?', str(found.get(key, ''))):
                yield f'{identity(o)}: {key} is {found.get(key)!r}'


def strings(r):
    """labels, annotations, arguments and environment values are strings"""
    def all_strings(o, where, mapping):
        for key, value in (mapping or {}).items():
            if not isinstance(value, str):
                yield f'{identity(o)}: {where} {key} is {value!r}'
    for o in r.items:
        yield from all_strings(o, 'label', o['metadata'].get('labels'))
        yield from all_strings(o, 'annotation', o['metadata'].get('annotations'))
    for o, pod in r.pods():
        yield from all_strings(o, 'pod label', pod['metadata'].get('labels'))
        yield from all_strings(o, 'pod annotation', pod['metadata'].get('annotations'))
        for c in pod['spec']['containers']:
            yield from all_strings(o, 'argument', dict(enumerate(c.get('args', []))))
            yield from all_strings(o, 'environment', {e['name']: e.get('value', '') for e in c.get('env', [])})


def selectors(r):
    """Deployments select their own pods and no other Deployment's"""
    pods = [(d['metadata']['name'], pod['metadata']['labels']) for d, pod in r.pods()]
    for d in r.of('Deployment'):
        selector = d['spec']['selector']['matchLabels']
        for name, found in pods:
            if matches(selector, found) != (name == d['metadata']['name']):
                yield f"{identity(d)} and the pods of {name}"


def pods_fit(r):
    """probes, mounts and accounts of pods refer to what is there"""
    for d, pod in r.pods():
        volumes = {v['name'] for v in pod['spec'].get('volumes', [])}
        account = pod['spec'].get('serviceAccountName')
        if r.values.get('made accounts', True) and not r.named('ServiceAccount', account, r.namespace):
            yield f'{identity(d)}: no ServiceAccount {account}'
        seen = set()
        for c in pod['spec']['containers']:
            ports = [p.get('name') for p in c.get('ports', [])]
            if len(set(ports)) != len(ports) or any(len(p or '') > 15 for p in ports):
                yield f"{identity(d)}: ports of {c['name']}: {ports}"
            for probe in ('livenessProbe', 'readinessProbe', 'startupProbe'):
                port = c.get(probe, {}).get('httpGet', {}).get('port')
                if isinstance(port, str) and port not in ports:
                    yield f"{identity(d)}: {probe} of port {port}"
            for mount in c.get('volumeMounts', []):
                if mount['name'] not in volumes:
                    yield f"{identity(d)}: mount {mount['name']}"
            if c['name'] in seen:
                yield f"{identity(d)}: container {c['name']} twice"
            seen.add(c['name'])


def low_ports(r):
    """a port below 1024 can be opened without root"""
    for owner, template in r.pods():
        context = template['spec'].get('securityContext', {})
        starts = [int(s['value']) for s in context.get('sysctls', []) if s['name'] == 'net.ipv4.ip_unprivileged_port_start']
        for port in (p['containerPort'] for c in template['spec']['containers'] for p in c.get('ports', [])):
            if port < min([1024, *starts]):
                yield f"{identity(owner)}: nobody but root may listen on {port}"


def probed(r):
    """every container of the operator has both probes"""
    for d, pod in r.pods():
        c = pod['spec']['containers'][0]
        if not {'livenessProbe', 'readinessProbe'} <= set(c):
            yield identity(d)


def services(r):
    """Services select pods that have the port"""
    for s in r.of('Service'):
        found = [pod for _, pod in r.pods() if matches(s['spec'].get('selector'), pod['metadata']['labels'])]
        if not found:
            yield f'{identity(s)} selects no pod'
        for pod in found:
            ports = {p.get('name') for c in pod['spec']['containers'] for p in c.get('ports', [])}
            ports |= {p['containerPort'] for c in pod['spec']['containers'] for p in c.get('ports', [])}
            for port in s['spec']['ports']:
                if port.get('targetPort', port['port']) not in ports:
                    yield f"{identity(s)}: no container port {port.get('targetPort', port['port'])}"


def budgets(r):
    """disruption budgets and monitors select pods or Services, on ports that these have"""
    for o in r.of('PodDisruptionBudget', 'PodMonitor'):
        if not any(matches(o['spec']['selector']['matchLabels'], pod['metadata']['labels']) for _, pod in r.pods()):
            yield f'{identity(o)} selects no pod'
    for o in r.of('ServiceMonitor'):
        found = [s for s in r.of('Service') if matches(o['spec']['selector']['matchLabels'], s['metadata']['labels'])]
        wanted = {e['port'] for e in o['spec']['endpoints']}
        if not found or not any(wanted <= {p.get('name') for p in s['spec']['ports']} for s in found):
            yield f'{identity(o)}: no Service with port {sorted(wanted)}'
    for o in r.of('PodMonitor'):
        wanted = {e['port'] for e in o['spec']['podMetricsEndpoints']}
        ports = {p.get('name') for _, pod in r.pods() for c in pod['spec']['containers'] for p in c.get('ports', [])}
        if not wanted <= ports:
            yield f'{identity(o)}: no container port {sorted(wanted)}'


def doors(r):
    """a NetworkPolicy holds for all pods of the operator, and opens the ports that they serve, and no others"""
    for o in r.of('NetworkPolicy'):
        pods = [pod for name, pod in r.pods() if matches(o['spec']['podSelector']['matchLabels'], pod['metadata']['labels'])]
        if len(pods) < len(r.of('Deployment')):
            yield f'{identity(o)} does not select all pods'
        served = {p['name'] for pod in pods for p in pod['spec']['containers'][0].get('ports', [])}
        opened = {p['port'] for rule in o['spec']['ingress'] for p in rule['ports']}
        if served != opened:
            yield f'{identity(o)} opens {sorted(opened)}, the pods serve {sorted(served)}'


def bindings(r):
    """bindings bind roles that are there to accounts"""
    for b in r.of('RoleBinding', 'ClusterRoleBinding'):
        role = b['roleRef']
        namespace = b['metadata'].get('namespace') if role['kind'] == 'Role' else None
        if not r.named(role['kind'], role['name'], namespace):
            yield f"{identity(b)}: no {role['kind']} {role['name']}"
        for subject in b['subjects']:
            if subject['kind'] != 'ServiceAccount' or not subject.get('namespace') or not subject.get('name'):
                yield f'{identity(b)}: {subject}'


def rules_narrow(r):
    """no rule has a wildcard; none reaches secrets or configurations without naming them, except to create or list"""
    for role in r.of('Role', 'ClusterRole'):
        for rule in role.get('rules', []):
            if '*' in rule['verbs'] + rule.get('resources', []) + rule.get('apiGroups', []):
                yield f'{identity(role)}: {rule}'
            named = {'secrets', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations',
                     'customresourcedefinitions', 'leases'} & set(rule.get('resources', []))
            free = set(rule['verbs']) - {'create', 'list', 'watch'}
            if named and free and not rule.get('resourceNames'):
                yield f'{identity(role)}: {sorted(free)} on any of {sorted(named)}'


def leases(r):
    """the Leases, the Secret and the configurations that flags name are those that roles name"""
    allowed = {}
    for role in r.of('Role', 'ClusterRole'):
        for rule in role.get('rules', []):
            for resource in rule.get('resources', []):
                allowed.setdefault(resource, set()).update(rule.get('resourceNames', []))
    pairs = [('leader-election-lock-name', 'leases'), ('leader-election-former-lock-name', 'leases')]
    if r.of('Service') and r.values.get('own certificates'):
        pairs.append(('webhook-secret-name', 'secrets'))
    if r.of('ClusterRole') and r.values.get('own certificates'):
        pairs += [('mutating-webhook-name', 'mutatingwebhookconfigurations'),
                  ('validating-webhook-name', 'validatingwebhookconfigurations')]
    for flag, resource in pairs:
        for value in r.flag(flag):
            if value and r.values.get('made roles', True) and value not in allowed.get(resource, set()):
                yield f'--{flag}={value}, but roles name {sorted(allowed.get(resource, []))}'


def hooks(r):
    """webhook configurations go to a Service and port of the rendering, whose name flags and certificate have"""
    for o in r.of('MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'):
        for hook in o['webhooks']:
            service = hook['clientConfig']['service']
            found = r.named('Service', service['name'], service['namespace'])
            if not found or service.get('port', 443) not in {p['port'] for p in found[0]['spec']['ports']}:
                yield f"{identity(o)}: {service['name']}:{service.get('port', 443)}"
            if r.flag('webhook-svc-name') != {service['name']}:
                yield f"{identity(o)}: --webhook-svc-name is {r.flag('webhook-svc-name')}"
        flag = 'mutating-webhook-name' if o['kind'].startswith('Mut') else 'validating-webhook-name'
        want = '' if r.values.get('no ClusterRole') else o['metadata']['name'] # which it may not even read
        if r.flag(flag) != {want}:
            yield f"{identity(o)}: --{flag} is {r.flag(flag)}"
        if any('caBundle' in hook['clientConfig'] for hook in o['webhooks']):
            yield f'{identity(o)} has a caBundle, which an upgrade would reset'


def restricted(r):
    """pods of the operator meet Pod Security Standard `restricted`"""
    for d, pod in r.pods():
        spec, c = pod['spec'], pod['spec']['containers'][0]
        own = c.get('securityContext', {})
        both = {**spec.get('securityContext', {}), **own}
        good = (both.get('runAsNonRoot') is True and own.get('allowPrivilegeEscalation') is False
                and own.get('capabilities', {}).get('drop') == ['ALL']
                and both.get('seccompProfile', {}).get('type') == 'RuntimeDefault'
                and own.get('readOnlyRootFilesystem') is True
                and not spec.get('hostNetwork') and not any('hostPath' in v for v in spec.get('volumes', [])))
        if not good:
            yield identity(d)


def somebody(r):
    """who serves the webhook is replaced without a gap"""
    if not r.of('MutatingWebhookConfiguration'):
        return
    for d, pod in r.pods():
        ports = [p.get('name') for c in pod['spec']['containers'] for p in c.get('ports', [])]
        strategy = d['spec'].get('strategy', {}).get('rollingUpdate', {})
        if r.values.get('webhook port', 'webhook') in ports and strategy.get('maxUnavailable') not in (0, '0'):
            yield identity(d)


def alerts(r):
    """every alert has a summary, a severity and a runbook, and its runbook_url is a link or absent"""
    for o in r.of('PrometheusRule'):
        for rule in (rule for group in o['spec']['groups'] for rule in group['rules'] if 'alert' in rule):
            notes = rule.get('annotations', {})
            if not notes.get('summary') or not (notes.get('runbook') or notes.get('runbook_url')) or not rule.get('labels', {}).get('severity'):
                yield f"{identity(o)}: {rule['alert']}"
            if not re.match(r'https?://', notes.get('runbook_url', 'https://')):
                yield f"{identity(o)}: {rule['alert']}: runbook_url is no link"


def drivers(r):
    """where Spark's account is made, it may do what drivers do"""
    if not r.values.get('made spark', True):
        return
    for account in r.of('ServiceAccount'):
        if account['metadata']['labels'].get('app.kubernetes.io/component') != 'spark':
            continue
        namespace = account['metadata']['namespace']
        bound = [b for b in r.of('RoleBinding') if b['metadata']['namespace'] == namespace
                 and {'kind': 'ServiceAccount', 'name': account['metadata']['name'], 'namespace': namespace}
                 in b['subjects']]
        verbs = set()
        for b in bound:
            for role in r.named('Role', b['roleRef']['name'], namespace):
                for rule in role['rules']:
                    verbs |= {(res, verb) for res in rule['resources'] for verb in rule['verbs']}
        for resource in ('pods', 'configmaps', 'services', 'persistentvolumeclaims'):
            if ('pods', 'create') not in verbs or (resource, 'deletecollection') not in verbs:
                yield f'{identity(account)} may not delete {resource}'


@functools.cache
def admin():
    """{(group, resource, verb)} that the built-in role admin holds in Kubernetes 1.28 (admin.json, which `dry-run` compares with a
    real API server) and what crds/roles.yaml adds to it."""
    with open(os.path.join(helm.HERE, 'admin.json'), encoding='utf-8') as file:
        held = {(group, resource, verb) for group, resources in json.load(file).items()
                for resource, verbs in resources.items() for verb in verbs}
    with open(os.path.join(helm.TOP, 'crds', 'roles.yaml'), encoding='utf-8') as file:
        for role in helm.objects(file.read()):
            if role['metadata']['labels'].get('rbac.authorization.k8s.io/aggregate-to-admin') == 'true':
                held |= set(grants(role))
    return held


def grants(role):
    for rule in role.get('rules', []):
        for group in rule['apiGroups']:
            for resource in rule['resources']:
                for verb in rule['verbs']:
                    yield group, resource, verb


def tenants(r):
    """whoever has the role admin in a namespace may make the Roles that are rendered for it: they hold nothing that admin lacks"""
    for role in r.of('Role'):
        for group, resource, verb in grants(role):
            if (group, resource, verb) not in admin():
                yield f'{identity(role)}: {verb} {resource}.{group} is neither in the built-in role admin nor in crds/roles.yaml'


def certificates(r):
    """with cert-manager, or without the webhook, no role may create a Secret or write one, or a webhook configuration"""
    if r.of('MutatingWebhookConfiguration') and not r.of('Certificate'):
        return
    held = {'secrets', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations'}
    for role in r.of('Role', 'ClusterRole'):
        for _, resource, verb in grants(role):
            if resource in held and verb not in ('get', 'list', 'watch'):
                yield f'{identity(role)}: {verb} {resource}'


ALL = (unique, names, namespaces, labels, strings, selectors, pods_fit, low_ports, probed, services, budgets, doors,
       bindings, rules_narrow, leases, hooks, restricted, somebody, alerts, drivers, tenants, certificates)
