"""The pictures that a story takes from its cover (contract 06 section 11; docs/decisions/0132).

The story's `thumbnail` and `preview` are rows of its own that name the same bytes as the files of the cover: nothing is
copied. They follow these files when they are made again or replaced, and go when they go; and they are gone while the
cover is where the story's readers must not get them: in a bin, in a disabled collection, or in one with a mark that the
story's own would not give. A picture that somebody put in by hand (`Substitution`) stays until a cover is chosen anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vitrine.accounts import NOBODY, Actor
from vitrine.library import access, changes_store, store, story_links
from vitrine.library.events import RecordChanged, RenditionsReady
from vitrine.library.model import DOCUMENT, PREVIEW, THUMBNAIL, Record, RecordId, Rendition
from vitrine.library.overlays import policy
from vitrine.library.records import Records
from vitrine.library.sharing import permalinks
from vitrine.library.stories import store as story_store
from vitrine.library.stories.errors import NotAChild
from vitrine.library.stories.model import CoverSources
from vitrine.platform.database import Database, UnitOfWork

Files = Mapping[str, Rendition]
ANY_PICTURE = "image/jpeg"


class SourceTooGood(NotAChild):
    """A file of class `document` cannot become the picture of a story, which everybody gets who sees the story."""

    code = "source_too_good"


@dataclass(frozen=True, slots=True)
class Covers:
    records: Records

    def listen(self, database: Database) -> None:
        for kind in (RenditionsReady, RecordChanged):
            database.listen(kind, self._follow)

    def check(self, work: UnitOfWork, child: Record, sources: CoverSources) -> None:
        """Raises SourceTooGood for the original or another file of class `document`."""
        for name, source in _wanted(sources).items():
            if self._is_of_class_document(work, child, source):
                raise SourceTooGood(
                    "{source} cannot be the {name} of a story: everybody who sees the story gets its pictures. Name a"
                    " file of class thumbnail or preview.",
                    field=f"{name}_cover_source",
                    values={"source": source, "name": name},
                )

    def take(
        self, work: UnitOfWork, actor: Actor, story: Record, child: Record, sources: CoverSources
    ) -> dict[str, str]:
        """Make *child* the cover of *story*. Returns which file of it each picture is, without the pictures that there
        are none for: the cover has no such picture (yet), or the actor may not have it, or only with a mark that the
        story's collection would not give it. *sources* were checked."""
        files = _by_name(store.renditions_of(work, [child.id])[child.id])
        wanted = _wanted(sources)
        allowed = {
            name: source
            for name, source in wanted.items()
            if self._may_give(work, actor, story, child, name, source, files.get(source))
        }
        own = _by_name(store.renditions_of(work, [story.id])[story.id])
        for name in wanted:
            copied = files.get(allowed.get(name, ""))
            if _is_picture(copied) or (name in own and not own[name].substituted):
                _show(work, story, name, own.get(name), copied)
        story_store.set_sources(work, story.id, child.id, allowed)
        return {name: source for name, source in allowed.items() if _is_picture(files.get(source))}

    def _is_of_class_document(self, work: UnitOfWork, child: Record, source: str) -> bool:
        recipe = self.records.structure(work).recipe(child.databox_id, child.group, source)
        return access.class_of(child, source, recipe) == DOCUMENT

    def _may_give(
        self,
        work: UnitOfWork,
        actor: Actor,
        story: Record,
        child: Record,
        name: str,
        source: str,
        file: Rendition | None,
    ) -> bool:
        """May the actor make *file*, which is called *source*, the picture *name*? The class rule; and in another
        collection only what they get without a mark, since the story's own decides about marks from then on."""
        structure = self.records.structure(work)
        recipe = structure.recipe(child.databox_id, child.group, source)
        if not access.may_have(work, actor, child, source, recipe):
            return False
        if child.collection_id == story.collection_id:
            return True
        if file is None:
            return False
        has_mark = policy.overlay_for(work, structure, child, _as_picture(file), viewer=actor) is not None
        return not has_mark and self._may_show(work, story, child, name, file)

    def _may_show(self, work: UnitOfWork, story: Record, child: Record, name: str, file: Rendition) -> bool:
        """May *file* of *child* be the picture *name* of *story*, whoever chose it? Not out of a bin or a disabled
        collection, nor where it would lose a mark that strangers get on it."""
        if child.collection_id == story.collection_id:
            return True
        structure = self.records.structure(work)
        collection = structure.collections[child.collection_id]
        if not collection.enabled or collection.is_bin:
            return False
        picture = _as_picture(file)
        mark = policy.overlay_for(work, structure, child, picture, viewer=NOBODY)
        own = policy.overlay_for(work, structure, story, replace(picture, name=name), viewer=NOBODY)
        return mark is None or mark == own

    def _follow(self, work: UnitOfWork, event: RenditionsReady | RecordChanged) -> None:
        """After a cover, its files or the story changed: the story shows what it may show now. A file that is being
        made again stays until it is known what becomes of it."""
        covers = story_links.covers_with(work, event.record_id)
        if not covers:
            return
        stories, (cover_id, *_) = list(covers), covers.values()  # one record: it is the cover, or the story
        child = store.by_id(work, cover_id)
        assert child is not None  # a deleted record covers nothing
        files = {
            name: file
            for name, file in _by_name(store.renditions_of(work, [child.id])[child.id]).items()
            if not self._is_of_class_document(work, child, name)
        }
        owned = store.renditions_of(work, stories)
        for story_id, sources in story_store.sources_of(work, stories, cover_id).items():
            story = store.by_id(work, story_id)
            assert story is not None
            own = _by_name(owned[story_id])
            for name, source in sources.items():
                file, shown = files.get(source or ""), own.get(name)
                is_by_hand = shown is not None and shown.substituted
                if source is None or is_by_hand or (file is not None and file.state == "waiting"):
                    continue
                if file is not None and not self._may_show(work, story, child, name, file):
                    file = None
                if not _are_same(shown, file):
                    _show(work, story, name, shown, file)

    def take_away(self, work: UnitOfWork, story_id: RecordId) -> None:
        """The story has no cover from now on."""
        story_links.take_cover_away(work, [story_id])
        story_store.set_sources(work, story_id, None, {})


def _wanted(sources: CoverSources) -> dict[str, str]:
    return {THUMBNAIL: sources.thumbnail.lower(), PREVIEW: sources.preview.lower()}


def _by_name(renditions: list[Rendition]) -> dict[str, Rendition]:
    return {rendition.name: rendition for rendition in renditions}


def _is_picture(file: Rendition | None) -> bool:
    return file is not None and file.is_ready and file.mime.startswith("image/")


def _as_picture(file: Rendition) -> Rendition:
    """As it will be: it may still be waiting, and then has no type yet."""
    return replace(file, mime=ANY_PICTURE)


def _are_same(shown: Rendition | None, file: Rendition | None) -> bool:
    if not _is_picture(file):
        return shown is None
    return shown is not None and file is not None and shown.sha256 == file.sha256


def _show(work: UnitOfWork, story: Record, name: str, shown: Rendition | None, file: Rendition | None) -> None:
    """Make *file* the story's picture *name*; no picture if it is none. *shown* is the one that it has."""
    if file is None or not _is_picture(file):
        if shown is not None:
            changes_store.delete_rendition(work, story.id, name)
        return
    values = {
        "state": "ready", "sha256": file.sha256, "mime": file.mime, "extension": file.extension,
        "width": file.width, "height": file.height, "size": file.size, "substituted": False,
        "failure": None, "failure_detail": None,
    }  # fmt: skip
    if shown is None:
        store.add_rendition(work, story.id, name, values)
    else:
        store.update_rendition(work, story.id, name, values)
    permalinks.ensure(work, story.id, story.title, name)
