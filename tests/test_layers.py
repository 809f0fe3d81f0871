"""Who may import whom: only downwards in the house; torch only where a model is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import parlure

ROOT = Path(parlure.__file__).parent

# From the top floor down; a module may import what stands in a later row, and its own row.
FLOORS = [
    ("cli",),
    ("forecast",),
    ("demo", "doctor", "starter", "ending"),
    ("shipping",),
    ("search",),
    ("scoring.skills",),
    ("training",),
    ("transcribing",),
    ("whisper",),
    ("corpus",),
    ("scoring",),
    ("speech",),
    ("recipe", "sections", "learning_rates", "machine", "exclusive", "errors", "console"),
]
WITH_TORCH = (
    "demo",
    "forecast",
    "machine",
    "speech.features",
    "whisper",
    "training",
    "transcribing",
    "scoring.skills",
    "shipping.export",
)
HEAVY = ("torch", "transformers", "peft", "accelerate")


def modules() -> dict[str, Path]:
    """Dotted name below ``parlure`` → file."""
    names = {path: path.relative_to(ROOT).with_suffix("").parts for path in sorted(ROOT.rglob("*.py"))}
    return {".".join(parts).removesuffix(".__init__"): path for path, parts in names.items()}


def imports(path: Path) -> set[str]:
    """Absolute names a file imports anywhere, ``from a import b`` as ``a.b``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor(name: str) -> int:
    for number, rooms in enumerate(FLOORS):
        if any(name == room or name.startswith(room + ".") for room in rooms):
            return number
    raise AssertionError(f"{name} stands on no floor: add it to FLOORS and docs/architecture.md")


MODULES = {name: path for name, path in modules().items() if name != "__init__"}


def test_every_module_is_found():
    assert len(MODULES) > 50


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_go_downwards(name):
    for imported in imports(MODULES[name]):
        if imported.startswith("parlure."):
            target = imported.removeprefix("parlure.")
            assert floor(name) <= floor(target), f"{name} imports {target}, which stands above it"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_torch_only_where_a_model_is(name):
    if any(name == room or name.startswith(room + ".") for room in WITH_TORCH):
        return
    heavy = {imported.split(".")[0] for imported in imports(MODULES[name])} & set(HEAVY)
    assert not heavy, f"{name} imports {heavy}"


def test_no_cycles():
    graph = {
        name: {
            target
            for imported in imports(path)
            if imported.startswith("parlure.")
            for target in MODULES
            if imported in (f"parlure.{target}", *(f"parlure.{target}.{x}" for x in [imported.rpartition(".")[2]]))
            and target != name
        }
        for name, path in MODULES.items()
        if path.name != "__init__.py"
    }
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' → '.join((*trail, name))}"
        if name in done:
            return
        for target in graph.get(name, ()):
            visit(target, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def test_no_drawers_and_no_long_files():
    for name, path in MODULES.items():
        assert name.rpartition(".")[2] not in ("utils", "util", "helpers", "common", "misc")
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, name


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "prepare --help",
        "segment --help",
        "align --help",
        "init --help",
        "train --help",
        "score --help",
        "doctor --help",
    ],
)
def test_help_loads_no_torch(command):
    code = f"import sys; from parlure.cli import run; run({command.split()!r}); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "False"
