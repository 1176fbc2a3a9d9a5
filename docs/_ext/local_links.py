"""Links from a page to files that are no pages.

One rule, so that the same Markdown works on GitHub and on the site: a file in docs/ is copied to
the same place of the site (of an HTML page its whole folder), and the link stays; what lies outside
docs/, and a folder, is named as code and not linked, as it is not part of the site; what does not
exist is a warning.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

logger = logging.getLogger(__name__)


def publish(env: BuildEnvironment, docname: str, path: Path) -> None:
    """Have a file or folder of docs/ copied to the same place of the site.

    Args:
        env: of the build.
        docname: the page that wants it.
        path: of the file or folder.
    """
    _published(env).setdefault(docname, set()).add(os.path.relpath(path, env.srcdir))


def _published(env: BuildEnvironment) -> dict[str, set[str]]:
    if not hasattr(env, "coequal_published"):
        env.coequal_published = {}
    found: dict[str, set[str]] = env.coequal_published
    return found


def _local(env: BuildEnvironment, node: nodes.Element) -> str | None:
    """Where a link of a page goes, relative to the page; None if that is a page, or no path."""
    if node.get("reftype") != "myst":
        return None
    target = str(node["reftarget"])
    if isinstance(node, addnodes.download_reference):
        return target
    if node.get("refdomain") == "doc":  # has a page's suffix, and may be none
        if target in env.found_docs:
            return None
        path = env.doc2path(target)
        return os.path.relpath(path, Path(env.doc2path(env.docname)).parent)
    target = unquote(target).partition("#")[0]
    known = "/" in target or Path(env.srcdir, Path(env.docname).parent, target).exists()
    return target if known else None


def _resolve(app: Sphinx, doctree: nodes.document) -> None:
    env = app.env
    root, docs = Path(app.srcdir).resolve().parent, Path(app.srcdir).resolve()
    kinds = (addnodes.download_reference, addnodes.pending_xref)
    for node in [found for kind in kinds for found in doctree.findall(kind)]:
        target = _local(env, node)
        if target is None:
            continue
        path = (Path(env.doc2path(env.docname)).parent / target).resolve()
        if not path.exists() or not path.is_relative_to(root):
            logger.warning("no file for the link to %s", target, location=node)
        elif path.is_file() and path.is_relative_to(docs):
            publish(env, env.docname, path.parent if path.suffix == ".html" else path)
            link = nodes.reference("", "", *node.children, refuri=target)
            node.replace_self(link)
        else:
            node.replace_self(_named(node.astext(), path.relative_to(root).as_posix()))


def _named(text: str, path: str) -> list[nodes.Node]:
    """The words of a link, and the path that it went to unless they say it."""
    if text.strip("/") in path:
        return [nodes.literal(text, text)]
    return [nodes.Text(f"{text} ("), nodes.literal(path, path), nodes.Text(")")]


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    for name in sorted(set().union(*_published(app.env).values())):
        source, copy = Path(app.srcdir, name), Path(app.outdir, name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _published(env).pop(docname, None)


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: BuildEnvironment
) -> None:
    _published(env).update({name: _published(other).get(name, set()) for name in docnames})


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("doctree-read", _resolve, priority=400)  # before Sphinx collects downloads
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
