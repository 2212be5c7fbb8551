"""The floors of the house: imports point down, neighbours do not know each other, nothing goes in circles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "subwhisper"
FLOORS = [{"model"}, {"engine", "media", "subtitles"}, {"pipeline", "training"}, {"web"}, {"cli"}]  # ground up
HEIGHT = {package: height for height, floor in enumerate(FLOORS, start=1) for package in floor}
MODULES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def imported_modules(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "subwhisper")
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            if node.module and node.module.split(".")[0] == "subwhisper":
                for alias in node.names:
                    below = f"{node.module}.{alias.name}"
                    yield below if below in NAMES else node.module


def imported_packages(path: Path) -> set[str]:
    return {module.split(".")[1] for module in imported_modules(path) if module.count(".") > 0} & HEIGHT.keys()


def test_every_package_has_its_floor() -> None:
    assert {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} <= HEIGHT.keys()


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/**/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for target in imported_packages(path):
        assert target == package or HEIGHT[target] < HEIGHT[package], f"{package} must not import {target}"


def test_root_modules_stand_on_nothing() -> None:
    for path in ROOT.glob("[!_]*.py"):
        assert not imported_packages(path), f"{path.name} must not import a package"


def test_no_module_leads_back_to_itself() -> None:
    graph = {name: set(imported_modules(path)) - {name} for name, path in NAMES.items()}
    assert not next(circles(graph), None)


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    finished: set[str] = set()

    def walk(name: str, trail: list[str]) -> Iterator[list[str]]:
        if name in trail:
            yield [*trail[trail.index(name) :], name]
        elif name not in finished:
            for target in sorted(graph.get(name, ())):
                yield from walk(target, [*trail, name])
            finished.add(name)

    for name in graph:
        yield from walk(name, [])


def test_a_circle_is_found() -> None:
    """The check above would pass for ever if this did not."""
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == [["a", "b", "c", "a"]]


@pytest.mark.parametrize("library", ["typer", "rich"])
def test_only_the_command_line_knows(library: str) -> None:
    for path in MODULES:
        if path.relative_to(ROOT).parts[0] not in {"cli", "training"}:
            roots = {
                name.split(".")[0]
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                for name in (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
            }
            assert library not in roots, f"{path} imports {library}"


def test_no_two_test_files_have_one_name() -> None:
    """In folders that are no packages, pytest could import only one of them."""
    files = Path(__file__).resolve().parent.rglob("test_*.py")
    names = [path.name for path in files if not (path.parent / "__init__.py").exists()]
    assert not {name for name in names if names.count(name) > 1}
