"""Keep calls out that the official OpenMMLab line does not know.

    python tools/_official/api.py list    # on that line: writes api.txt
    python tools/_official/api.py check   # anywhere: 1 if something is newer

``api.txt`` holds what PyTorch 2.0.1 and numpy 1.23.5 offer: names, and what
their functions take. ``check`` reads the sources of the packages and of the
tools, without running them.
"""
import argparse
import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name('api.txt')
# Whose names are listed; what is used of another one is reported.
CONTAINERS = (
    'numpy', 'numpy.fft', 'numpy.lib.stride_tricks', 'numpy.linalg',
    'numpy.ndarray', 'numpy.random', 'torch', 'torch.Tensor', 'torch.amp',
    'torch.autograd', 'torch.autograd.function', 'torch.backends.cuda',
    'torch.backends.cudnn', 'torch.backends.mkldnn', 'torch.cuda',
    'torch.cuda.amp', 'torch.distributed', 'torch.fft', 'torch.hub',
    'torch.jit', 'torch.linalg', 'torch.nn', 'torch.nn.Module',
    'torch.nn.functional', 'torch.nn.init', 'torch.nn.modules.batchnorm',
    'torch.nn.modules.utils', 'torch.nn.parallel', 'torch.nn.utils',
    'torch.onnx', 'torch.onnx.symbolic_helper', 'torch.optim',
    'torch.optim.Optimizer', 'torch.optim.lr_scheduler', 'torch.profiler',
    'torch.random', 'torch.serialization', 'torch.utils.checkpoint',
    'torch.utils.cpp_extension', 'torch.utils.data', 'torch.version')
# Where names that begin with a `_` are listed, too.
WITH_PRIVATE = ('torch.nn.modules.batchnorm', 'torch.nn.modules.utils',
                'torch.onnx.symbolic_helper')
# Looked up by name at run time: nothing to be said before.
DYNAMIC = ('torch.ops', 'torch.classes')
# What an object of unknown type may be.
INSTANCES = ('torch.Tensor', 'torch.nn.Module', 'torch.optim.Optimizer')
# These know about versions.
EXEMPT = ('siamattn_mm/compat.py', 'siamattn_mm/torch_compat.py',
          'tools/_official/api.py')
# What the schemas of operators do not mention: arguments of all of them, and
# numpy's names of some.
UNMENTIONED = {
    'input', 'other', 'out', 'requires_grad', 'axis', 'keepdims', 'x', 'x1',
    'x2', 'names', 'generator', 'dtype', 'device', 'pin_memory', 'layout'
}


class Function(NamedTuple):
    """What a function takes.

    Attributes:
        positional (int): How many arguments, -1 for any number.
        names (frozenset | None): Their names, None for any.
    """
    positional: int
    names: Optional[frozenset]


class Api(NamedTuple):
    """Names of a release.

    Attributes:
        names (set[str]): Full names, ``'torch.cat'``.
        modules (set[str]): Those of modules, listed or not.
        functions (dict[str, Function]): What some of them take.
    """
    names: Set[str]
    modules: Set[str]
    functions: Dict[str, Function]


class Finding(NamedTuple):
    """A place in the sources.

    Attributes:
        place (str): File and line.
        name (str): What stands there.
        reason (str): What is wrong.
    """
    place: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f'{self.place}: {self.name}: {self.reason}'


# -- the list ------------------------------------------------------------


def _find(name: str) -> object:
    parts = name.split('.')
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module('.'.join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def _is_listed(name: str, container: str = '') -> bool:
    if name.startswith('_'):
        return name == '__version__' or (container in WITH_PRIVATE
                                         and not name.startswith('__'))
    return True


def _members(owner: object) -> Set[str]:
    # Some of PyTorch's modules are objects, which hide what they stand for.
    names = set(dir(owner)) | set(dir(getattr(owner, 'm', None)))
    if isinstance(owner, ModuleType) and type(owner) is not ModuleType:
        names |= set(dir(type(owner)))
    return names


def _operators() -> Dict[str, List[str]]:
    """Arguments of PyTorch's operators, over all their forms."""
    import torch
    arguments: Dict[str, List[str]] = {}
    for schema in torch._C._jit_get_all_schemas():
        known = arguments.setdefault(schema.name, [])
        known += [a.name for a in schema.arguments if a.name not in known]
    return arguments


def _takes_nothing(function: object) -> bool:
    try:
        function(object())
    except TypeError as error:
        return 'takes no arguments' in str(error)
    except Exception:
        pass
    return False


def _parameters(name: str, value: object,
                operators: Dict[str, List[str]]) -> Optional[str]:
    """In brackets, as ``inspect`` would print them without defaults."""
    if not callable(value) or isinstance(value, ModuleType):
        return None
    if name.startswith(INSTANCES + ('numpy.ndarray.', )):
        return None
    try:
        parameters = inspect.signature(value).parameters.values()
    except (ValueError, TypeError):
        short = name.rpartition('.')[2]
        if name.startswith('numpy') or isinstance(value, type):
            return None
        space = {'torch.linalg': 'linalg_', 'torch.fft': 'fft_'}
        prefix = space.get(name.rpartition('.')[0], '')
        known = operators.get(f'aten::{prefix}{short}')
        if known:
            return f'({", ".join(known)}, **unmentioned)'
        return '()' if _takes_nothing(value) else None
    parts, keyword = [], False
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            parts.append('*args')
            keyword = True
        elif parameter.kind is parameter.VAR_KEYWORD:
            parts.append('**kwargs')
        else:
            if parameter.kind is parameter.KEYWORD_ONLY and not keyword:
                parts.append('*')
                keyword = True
            parts.append(parameter.name)
    return f'({", ".join(parts)})'


def list_api() -> str:
    """What is installed here, as the text of ``api.txt``."""
    import numpy
    import torch
    operators = _operators()
    lines = [
        '# Written by `python tools/_official/api.py list`, from PyTorch '
        f'{torch.__version__.split("+")[0]} and numpy {numpy.__version__}.'
    ]
    for container in CONTAINERS:
        owner = _find(container)
        lines.append(f'[{container}]')
        for name in sorted(_members(owner)):
            if not _is_listed(name, container):
                continue
            value = getattr(owner, name, None)
            parameters = _parameters(f'{container}.{name}', value, operators)
            mark = '/' * isinstance(value, ModuleType)
            lines.append(name + (mark or parameters or ''))
    return '\n'.join(lines) + '\n'


def read_list(path: Path = LIST) -> Api:
    """Read ``api.txt``."""
    api = Api(set(), set(), {})
    container = ''
    for line in path.read_text(encoding='utf-8').splitlines():
        if line.startswith('#'):
            continue
        if line.startswith('['):
            container = line[1:-1]
            parts = container.split('.')
            api.names.update('.'.join(parts[:i + 1])
                             for i in range(len(parts)))
            continue
        name, bracket, inside = line.partition('(')
        name = f'{container}.{name.rstrip("/")}'
        api.names.add(name)
        if line.endswith('/'):
            api.modules.add(name)
        if bracket:
            api.functions[name] = _read_parameters(inside.rstrip(')'))
    return api


def _read_parameters(inside: str) -> Function:
    parts = [part for part in inside.split(', ') if part]
    names = {part for part in parts if not part.startswith('*')}
    positional = len(names)
    if '*' in parts:
        positional = parts.index('*')
    if '*args' in parts:
        positional = -1
    if '**unmentioned' in parts:
        # An operator: sizes may also come one by one.
        return Function(-1, frozenset(names | UNMENTIONED))
    any_name = '**kwargs' in parts
    return Function(positional, None if any_name else frozenset(names))


# -- the check -----------------------------------------------------------


def newer_members(api: Api) -> Set[str]:
    """What tensors, modules and optimizers have here, but not there."""
    newer: Set[str] = set()
    for container in INSTANCES:
        newer.update(name for name in dir(_find(container))
                     if _is_listed(name))
    # `x.name` may be any of these.
    return {
        name for name in newer
        if not any(f'{owner}.{name}' in api.names
                   for owner in INSTANCES + ('numpy.ndarray', ))
    }


class _Imports(ast.NodeVisitor):
    """What the names of a file stand for."""

    def __init__(self) -> None:
        self.names: Dict[str, str] = {}
        self.asked: List = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.split('.')[0]
            self.names[alias.asname or top] = (alias.name if alias.asname else
                                               top)
            self.asked.append((node, alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            full = '.' * node.level + f'{node.module or ""}.{alias.name}'
            self.names[alias.asname or alias.name] = full
            self.asked.append((node, full))


def _dotted(node: ast.AST, names: Dict[str, str]) -> Optional[str]:
    parts: List[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return None
    return '.'.join([names[node.id]] + parts[::-1])


def _unknown(name: str, api: Api) -> Optional[str]:
    """The first part of a full name that the release does not have."""
    parts = name.split('.')
    if parts[0] not in ('torch', 'numpy') or name.startswith(DYNAMIC):
        return None
    for end in range(1, len(parts) + 1):
        part = '.'.join(parts[:end])
        if part not in api.names:
            # Of functions, constants and most classes nothing is listed.
            owner = part.rpartition('.')[0]
            return part if owner in api.modules or owner in CONTAINERS \
                else None
    return None


def check_source(tree: ast.AST, place: str, api: Api, newer: Set[str],
                 own: Set[str]) -> Iterator[Finding]:
    """Find what a file uses that the release does not have.

    Args:
        tree (AST): The parsed file.
        place (str): The file's name, for the findings.
        api (Api): Of the release.
        newer (set[str]): From :func:`newer_members`.
        own (set[str]): Members that the sources define themselves.

    Yields:
        Finding: One per place.
    """
    imports = _Imports()
    imports.visit(tree)
    asked = list(imports.asked)
    inner: Set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            inner.add(id(node.value))
            name = _dotted(node, imports.names)
            if name is not None:
                asked.append((node, name))
            elif node.attr in newer - own:
                yield Finding(f'{place}:{node.lineno}', f'.{node.attr}',
                              'tensors, modules and optimizers have no such '
                              'member there')
        if isinstance(node, ast.Call):
            reason = _wrong_call(node, imports.names, api)
            if reason:
                name = _dotted(node.func, imports.names)
                yield Finding(f'{place}:{node.lineno}', f'{name}()', reason)
    for node, name in asked:
        unknown = _unknown(name, api)
        if unknown is not None:
            yield Finding(f'{place}:{node.lineno}', unknown,
                          'there is no such name')


def _wrong_call(node: ast.Call, names: Dict[str, str],
                api: Api) -> Optional[str]:
    name = _dotted(node.func, names)
    function = api.functions.get(name or '')
    if function is None:
        return None
    starred = any(isinstance(a, ast.Starred) for a in node.args)
    if not starred and 0 <= function.positional < len(node.args):
        return f'it takes {function.positional} arguments'
    for keyword in node.keywords:
        if keyword.arg is not None and function.names is not None and \
                keyword.arg not in function.names:
            return f'it has no argument {keyword.arg}'
    return None


def defined_members(trees: Iterable[ast.AST]) -> Set[str]:
    """Functions and attributes that sources define themselves."""
    own: Set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                own.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(
                    node.ctx, ast.Store):
                own.add(node.attr)
            elif isinstance(node, ast.AnnAssign) and isinstance(
                    node.target, ast.Name):
                own.add(node.target.id)
    return own


def check(root: Path = ROOT) -> List[Finding]:
    """Check the sources of the packages and of the tools.

    Args:
        root (Path): The checkout.

    Returns:
        list[Finding]: Empty if all is known to the official line.
    """
    paths = sorted(root.glob('siamattn_*/**/*.py'))
    paths += sorted(root.glob('tools/**/*.py'))
    trees = {
        str(path.relative_to(root)): ast.parse(path.read_text('utf-8'))
        for path in paths
    }
    api = read_list()
    newer, own = newer_members(api), defined_members(trees.values())
    return [
        finding for place, tree in trees.items() if place not in EXEMPT
        for finding in check_source(tree, place, api, newer, own)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('action', choices=('list', 'check'))
    parser.add_argument(
        '--out', type=Path, default=LIST, help='where the list goes')
    args = parser.parse_args()
    if args.action == 'list':
        args.out.write_text(list_api(), encoding='utf-8')
        return 0
    findings = check()
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
