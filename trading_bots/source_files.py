"""Loads a Python module by its name or from a file anywhere."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType


def load_module(name: str) -> ModuleType:
    """The module, also of a file in the folder where the command runs. ValueError."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(f"no module {error.name} (asked for by {name})") from error
    except Exception as error:
        raise ValueError(f"{name} can't be imported: {error!r}") from error
    finally:
        sys.path.remove(here)


def load_file(name: str, beside: Mapping[str, ModuleType] | None = None) -> ModuleType:
    """A new module that the file is; it may import what lies beside it. ValueError.

    Each call executes the file and what it imports from its folder again: two bots of one file
    share nothing, and two bots' files of one name are not taken for each other. While it is loaded,
    the modules of `beside` can be imported under these names.
    """
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise ValueError(f"no file {name}")
    unique = f"strategy_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    specification = importlib.util.spec_from_file_location(unique, path)
    if specification is None or specification.loader is None:
        raise ValueError(f"{name} is no Python file")
    module = importlib.util.module_from_spec(specification)
    with _importable(path.parent), _named(beside or {}):
        sys.modules[unique] = module
        try:
            specification.loader.exec_module(module)
        except Exception as error:
            raise ValueError(f"{name} can't be loaded: {error!r}") from error
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """What lies in the folder can be imported, and is forgotten afterwards.

    Nothing changes where the folder is on the path anyway.
    """
    if folder in {Path(each).resolve() for each in sys.path}:
        yield
        return
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            place = getattr(module, "__file__", None)
            if name not in before and place and folder in Path(place).resolve().parents:
                del sys.modules[name]


@contextmanager
def _named(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """These names mean these modules; what they meant before comes back."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
