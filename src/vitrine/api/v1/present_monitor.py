"""What administrators' programs read of the server: contract 02 sections 5.19 and 6.1. Keys in the contract's order and
with its spellings. What this server does not have is null, and so is every secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vitrine import __version__
from vitrine.api.wire.dates import atom, atom_or_none
from vitrine.operations.tasks import Scheduler, Task
from vitrine.platform.cache import Counters
from vitrine.settings import Settings

NAME = "Vitrine"


def _state(is_started: bool) -> str:
    return "started" if is_started else "stopped"


def task(task: Task, zone: ZoneInfo) -> dict[str, Any]:
    """02 section 5.19."""
    wish, last_run = _state(task.is_started), atom_or_none(task.last_run, zone)
    return {
        "id": task.number,
        "title": task.title,
        "name": task.title,
        "state": wish,
        "status": wish,
        "actual-status": _state(task.is_running),
        "process-id": task.process_id,
        "pid": task.process_id,
        "jobId": task.lane,
        "period": task.period_s,
        "last_exec_time": last_run,
        "last_execution": last_run,
        "updated": atom_or_none(task.updated, zone),
        "created": atom_or_none(task.created, zone),
        "auto_start": task.autostarts,
        "crashed": task.restarts,
    }


def scheduler(scheduler: Scheduler, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Exactly six keys; a worker is always wished for."""
    state = _state(scheduler.is_running)
    return {
        "configuration": _state(True),
        "state": state,
        "status": state,
        "pid": scheduler.process_id,
        "process-id": scheduler.process_id,
        "updated_on": atom(now, zone),
    }


def server(settings: Settings, *, is_in_maintenance: bool) -> dict[str, Any]:
    return {
        "version": {"name": NAME, "number": __version__},
        "environment": "prod",
        "debug": False,
        "maintenance": is_in_maintenance,
        "errorsLog": True,
        "serverName": settings.base_url,
    }


def caches(counters: Mapping[str, Counters]) -> dict[str, Any]:
    """`main` stands for the caches of this process; there is no other."""
    stats = {
        name: {"hits": counter.hits, "misses": counter.misses, "entries": counter.entries}
        for name, counter in sorted(counters.items())
    }
    main = {"type": "memory", "online": True, "stats": stats}
    return {
        "main": main, "op_code": None, "doctrine_metadatas": None, "doctrine_query": None, "doctrine_result": None,
    }  # fmt: skip


def global_values(settings: Settings, instance_id: str, engine: Mapping[str, Any]) -> dict[str, Any]:
    """*engine*: type and status of the search engine."""
    return {
        "serverName": settings.base_url,
        "title": settings.title,
        "keywords": None,
        "description": settings.description or None,
        "httpServer": {
            "phpTimezone": settings.timezone,
            "instanceId": instance_id,
            "defaultLanguage": settings.default_language,
            "allowIndexing": None,
            "modes": {
                "XsendFile": bool(settings.accel_prefix),
                "XsendFileMapping": None,
                "h264Streaming": None,
                "authTokenDirectory": None,
                "authTokenDirectoryPath": None,
                "authTokenPassphrase": None,
            },
        },
        "maintenance": {"alertMessage": None, "displayMessage": None},
        "webServices": {
            "googleApi": None,
            "googleAnalyticsId": None,
            "i18nWebService": None,
            "recaptacha": {"active": False, "publicKey": None, "privateKey": None},
            "youtube": {"active": False, "clientId": None, "clientSecret": None, "devKey": None},
            "flickr": {"active": False, "clientId": None, "clientSecret": None},
            "dailymtotion": {"active": False, "clientId": None, "clientSecret": None},
        },
        "homepage": {"viewType": None},
        "report": {"anonymous": None},
        "storage": {"documents": None},  # a path of the machine, or an address with credentials in it
        "searchEngine": {
            "configuration": {"defaultQuery": None, "defaultQueryType": None, "minChar": None},
            "engine": {"type": engine["type"], "status": engine["status"], "configuration": None},
        },
        "binary": dict.fromkeys(
            ("phpCli", "phpIni", "unoconv", "ffmpeg", "ffprobe", "mp4box", "pdftotext", "pdfmaxpages")
        ),
        "mainConfiguration": {
            "viewBasAndCollName": None,
            "chooseExportTitle": None,
            "defaultExportTitle": None,
            "socialTools": settings.links_shown_to,
        },
        "modules": {"thesaurus": None, "storyMode": True, "docSubsitution": True, "subdefSubstitution": True},
        "email": {
            "defaultMailAddress": settings.sender,
            # The address of the mail server holds its password.
            "smtp": {
                "active": bool(settings.smtp_url), "auth": None, "host": None, "port": None, "secure": None,
                "user": None, "password": None,
            },
        },
        "custom-links": None,
        "ftp": {"active": False, "activeForUser": False},
        "client": dict.fromkeys(
            (
                "maxSizeDownload", "tabSearchMode", "tabAdvSearchPosition", "tabTopicsPosition",
                "tabOngActifPosition", "renderTopicsMode", "displayRolloverPreview", "displayRolloverBasket",
                "collRenderMode", "viewSizeBaket", "clientAutoShowProposals", "needAuth2DL",
            )
        ),
        "inscription": {"autoSelectDB": None, "autoRegister": None},
        "push": {"validationReminder": None, "expirationValue": None},
    }  # fmt: skip
