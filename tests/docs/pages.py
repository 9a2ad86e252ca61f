"""What pages in Markdown tell their readers to type: blocks of code, each with a kind, and commands in running text."""
import os
import re
import shlex
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = {'kubectl', 'helm', 'spark-operator', 'docker', 'podman', 'buildah', 'trivy', 'grype', 'curl', 'ctest', 'cmake', 'git',
         'argocd', 'flux', 'promtool', 'kind', 'kustomize', 'aws', 'gcloud', 'eksctl', 'cosign', 'clang-tidy'}
FILTERS = {'grep', 'awk', 'sed', 'tail', 'head', 'sort', 'cut', 'base64', 'openssl', 'jq', 'tr', 'cat', 'echo', 'wc', 'less', 'export',
           'date', 'while', 'do', 'done', 'for', 'xargs', 'cd', 'true', 'tee'}
TREE = ('deploy/', 'tests/', 'charts/', 'crds/', 'build/')
DRAWN = re.compile('[─│┌└┐┘▶◀▲▼]')


class Block:
    """kind: yaml, promql, dockerfile, shell, session (commands with their output), drawing, message, or '' (nobody knows)."""

    def __init__(self, page, line, info, text):
        self.page, self.line, self.info, self.text = page, line, info, text
        self.kind = kind_of(info.split()[0] if info else '', text)

    def __str__(self):
        return f'{self.page}:{self.line}'


def pages():
    names = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '--', '*.md'], cwd=TOP, text=True,
                           capture_output=True, check=True).stdout.split()
    return [n for n in names if os.path.exists(os.path.join(TOP, n))]


def examples():
    folder = os.path.join(TOP, 'deploy/examples')
    return [f'deploy/examples/{n}' for n in sorted(os.listdir(folder)) if n.endswith('.yaml')]


def told(example):
    """What the comment at the top of an example tells to type, as a block."""
    lines = [line[1:] for line in re.match(r'(#.*\n)*', text_of(example))[0].split('\n') if line.startswith('#   ')]
    return Block(example, 1, 'sh', ''.join(f'{line.strip()}\n' for line in lines))


def text_of(page):
    with open(os.path.join(TOP, page), encoding='utf-8') as file:
        return file.read()


def kind_of(info, text):
    if info in ('yaml', 'promql', 'dockerfile'):
        return info
    if info == 'sh':
        return 'shell'
    if info == 'console':
        return 'session'
    if DRAWN.search(text):
        return 'drawing'
    if info == 'text' or (not info and re.fullmatch(r'(?:(?:spec|metadata)\.\S+: [^\n]*\n)+', text)):
        return 'message'
    if info:
        return ''
    if text.startswith('$ '):
        return 'session'
    return 'shell' if all(is_command(c) for c in commands(text)) else ''


FENCE_LIKE = re.compile('^ *(`{3}|~{3})')
FENCE = re.compile(r'^( *)```([^\n`]*)\n(.*?)^\1```$', re.M | re.S)
INDENTED = re.compile(r'(?<=\n\n)((?:    [^\n]*\n)+)(?=\n|\Z)')


def blocks(page):
    text = text_of(page)
    for m in FENCE.finditer(text):
        body = re.sub(f'^{m[1]}', '', m[3], flags=re.M)
        yield Block(page, text.count('\n', 0, m.start()) + 1, m[2].strip(), body)
    for m in INDENTED.finditer(blank(text)):
        yield Block(page, text.count('\n', 0, m.start()) + 1, 'text', re.sub('^    ', '', m[1], flags=re.M))


def unread(page):
    """Lines that begin or end a block which is not found above: it has no end, or other fences than three backticks."""
    return [number for number, line in enumerate(blank(text_of(page)).split('\n'), 1) if FENCE_LIKE.match(line)]


def blank(text):
    """The text with its fenced blocks and comments emptied, line for line."""
    empty = lambda m: re.sub(r'[^\n]+', '', m[0])
    return re.sub(r'^<!--.*?-->$', empty, FENCE.sub(empty, text), flags=re.M | re.S)


def spans(page):
    """(line, code) of code within sentences and tables."""
    for number, line in enumerate(blank(text_of(page)).split('\n'), 1):
        for m in re.finditer(r'(`+)(.+?)\1', line):
            yield number, m[2].strip().replace('\\|', '|')


def inline(page):
    """Commands within sentences and tables, as blocks. A name alone (`helm upgrade`) is no command that somebody types."""
    for number, code in spans(page):
        words = code.split()
        phrase = len(words) < (4 if words[:2] == ['helm', 'install'] else 3) or words[-1] == '-f'
        if len(words) > 1 and is_command(words) and not (phrase and words[0] in ('kubectl', 'helm', 'docker', 'spark-operator')):
            yield Block(page, number, 'sh', code + '\n')


def is_command(words):
    first = words[0] if words else ''
    return first in TOOLS or first in FILTERS or (first.startswith(TREE) and not first.endswith(('.md', '.yaml', '.c', '.h')))


def typed(block):
    """What is typed in a block: all of it, or of a session what stands behind `$ `, with continued lines."""
    if block.kind == 'shell':
        return block.text
    lines, more = [], False
    for line in block.text.split('\n'):
        if more or line.startswith('$ '):
            lines.append(line if more else line[2:])
            more = line.endswith('\\')
    return '\n'.join(lines) + '\n'


def without_input(text):
    """Without here-documents, whose texts are no commands."""
    return re.sub(r"<<-?'?(\w+)'?([^\n]*)\n(.*?\n)\1\n", r'\2\n', text, flags=re.S)


# words of the shell, and a command, before a command
BEFORE = {'if', 'then', 'else', 'while', 'until', 'do', '!', 'time', 'xargs'}
ENDS = {'fi', 'done'}


def commands(text):
    """The simple commands of a piece of shell, and of what is put into its quoted words, as lists of words."""
    for words in [*whole_commands(text), *(w for inner in re.findall(r'"[^"\n]*?\$\(([^()\n]*)\)', text) for w in whole_commands(inner))]:
        while words and words[0] in BEFORE:
            words = words[1:]
        if words and words[0] not in ENDS:
            yield words


def whole_commands(text):
    """Without comments, assignments and redirections."""
    for line in without_input(text).replace('\\\n', ' ').split('\n'):
        lexer = shlex.shlex(line, posix=True, punctuation_chars='|&;()<>')
        lexer.whitespace_split = True
        try:
            tokens = list(lexer)
        except ValueError as e:
            yield ['?', str(e), line]
            continue
        words, to_file = [], False
        for token in [*tokens, ';']:
            if re.fullmatch(r'[|&;()]+', token):
                if words:
                    yield words
                words = []
            elif re.fullmatch(r'[<>&]+', token):
                to_file = True
            elif to_file:
                to_file = False
            elif not (token == '$' or (not words and re.match(r'\w+=', token))):
                words.append(token)
