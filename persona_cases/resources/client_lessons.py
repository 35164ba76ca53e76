"""Hints for code that uses `persona` and `persona.cases` like another library."""

from __future__ import annotations

from persona_cases.teaching import Lessons

__all__ = ["CASES", "CASE_TEMPLATES", "CLIENT", "EVENTS", "MANY_CASES", "WATCH"]

_RETRIES = "a client holds it, so write persona.with_options(retry=RetryPolicy(attempts=...))"
_SEARCH = "write persona.cases.search(Q.status.eq(...))"
_FILTERS = "a search takes an expression, so write search(Q.{0}.eq(...)), or filter a list with list({0}=...)"
_TEXT_IDS = "list and search have no filter of that name: write persona.cases.get_many([...])"

CASES = Lessons(
    title="Cases",
    names={
        "retrieve fetch read show find_by_id get_by_id load": "write persona.cases.get(case_id)",
        "find filter query where find_all select": f"{_SEARCH}, or persona.cases.list(status=...) without the index",
        "find_one first get_or_none one": f"{_SEARCH}.first()",
        "all iter iterate list_all iter_all auto_paging_iter": "write async for case in persona.cases.list()",
        "pages iter_pages list_pages paginate": "write async for page in persona.cases.list().pages()",
        "count len total": "the API does not count cases: write len(await persona.cases.search(...).collect())",
        "delete remove destroy erase": "the API deletes no cases; persona.cases.redact(case) erases the personal data",
        "new add make insert post": "write persona.cases.create(case_template_id)",
        "edit modify change patch save put": "write persona.cases.update(case, fields={...})",
        "close resolve approve decline reopen status": "write persona.cases.set_status(case, status)",
        "comment comments note": "write persona.cases.add_comment(case, message)",
        "tag tags": "write persona.cases.add_tag(case, name)",
        "untag": "write persona.cases.remove_tag(case, name)",
        "attach upload add_attachment": "write persona.cases.update(case, attachments=[Upload(...)])",
        "link add_object": "write persona.cases.add_objects(case, object_ids)",
        "unlink detach remove_object": "write persona.cases.remove_objects(case, object_ids)",
        "get_all retrieve_many fetch_many": "write persona.cases.get_many(case_ids)",
        "batch bulk bulk_update update_many update_all edit_many batch_update change_all apply_many": "write "
        "persona.cases.change_many(where, change, journal=...), or get_many(case_ids) to read",
        "stream listen subscribe tail poll follow": "write async for case in persona.cases.watch()",
        "dump to_file to_csv to_jsonl to_parquet write": 'write persona.cases.export(where, to="cases.csv")',
        "template templates": "write persona.case_templates.get(template_id)",
        "with_options": "write persona.with_options(...).cases",
    },
    arguments={
        "list.where list.query list.filter list.filters": "a list filters by status=, account_id= and the like, "
        "so write search(where) for an expression",
        "list.sort list.order list.order_by": "a list is ordered newest first; write search(sort=Q.created_at.asc())",
        **{
            f"search.{name}": _FILTERS.format(name)
            for name in ("status", "case_template_id", "account_id", "inquiry_id")
        },
        "search.reference_id search.report_id": "searches do not know it: write list(reference_id=...)",
        "query filter filters": "write where, the first argument",
        "sort_by order_by order": "write sort=Q.created_at.desc()",
        "fields select attributes columns response_fields sparse": "name the attributes to load with only=[...]",
        "expand includes": "name the relationships to load with include=[...]",
        "per_page size count max_results": "write page_size= for one request, limit= for the total",
        "cursor starting_after start_after page_after page": "write after=, or .resume(cursor) of a pager",
        "ending_before page_before": "write before=",
        "id case_id": "it is called case, and takes a case or its id",
        "ids case_ids": _TEXT_IDS,
        "timeout request_timeout": "a client holds it, so write persona.with_options(timeout=...)",
        "max_retries retries retry": _RETRIES,
        "headers extra_headers": "a client holds it, so write persona.with_options(headers=...)",
        "api_key": "a client holds it, so write PersonaClient(api_key)",
        "path file filename dest destination output": "write to=, the path of the file",
        "template_id template": "write case_template_id=",
        "queue_id queue": "write case_queue_id=",
        "tag": "write the name of the tag, or tag_id=",
        "user user_email user_email_address assignee assignee_id": "write email=, the address of the user",
        "comment body text": "write message=",
    },
    calls={
        "export": 'takes its destination by name: write export(to="cases.jsonl") or export(where, to="cases.jsonl")',
        "list": "takes its arguments by name: write list(status=...), or search(where) for an expression",
        "search": "takes one expression, and the rest by name: write search(where & other, sort=...)",
        "get": "takes one case: write get(case_id), or get_many([...]) for several",
        "get_many": "takes one list of ids: write get_many([...])",
        "change_many": 'takes cases, a change and a journal: write change_many(where, change, journal="a.journal")',
        "change_each": 'takes pairs and a journal: write change_each([(case_id, change)], journal="a.journal")',
    },
    uses={
        "__aiter__": "is no list: write async for case in persona.cases.list()",
        "__getitem__": (
            "is neither a list nor a mapping: write async for case in persona.cases.list(), or "
            "await persona.cases.get(case_id)"
        ),
    },
)

CASE_TEMPLATES = Lessons(
    names={
        "retrieve fetch read show find load": "write persona.case_templates.get(template_id)",
        "list all search iter pages": "the API cannot list templates: their ids are in the dashboard and in cases "
        "(case.case_template_id)",
        "create update delete edit": "templates are made and changed in the dashboard",
    },
    arguments={
        "template_id case_template_id": "write id=",
        "timeout": "a client holds it, so write persona.with_options(timeout=...)",
        "max_retries retries": _RETRIES,
    },
)

EVENTS = Lessons(
    names={
        "retrieve fetch read show find load": "write persona.events.get(event_id)",
        "all search iter pages": "write async for event in persona.events.list()",
        "watch stream listen subscribe on": "Persona sends events to webhooks: see persona_cases.webhooks, or "
        "async for case in persona.cases.watch() for new cases",
    },
    arguments={
        "case case_id case_ids object_ids": "write object_id=, a case, an id or several",
        "names type types event events": "write name=, one name or several",
        "ids event_id event_ids": "write id=, one id or several",
        "since until created_at": "the API lists events newest first and has no filter of time: leave the loop",
        "per_page size count max_results": "write page_size= for one request, limit= for the total",
        "timeout": "a client holds it, so write persona.with_options(timeout=...)",
        "max_retries retries": _RETRIES,
    },
    calls={"list": 'takes its arguments by name: write list(name="case.resolved")'},
    uses={
        "__aiter__": "is no list: write async for event in persona.events.list()",
        "__iter__": "is no list: write async for event in persona.events.list()",
    },
)

CLIENT = Lessons(
    constructor=True,
    instances=("_api",),
    names={
        "search list export create update get_many watch redact assign set_status download retrieve": "cases are "
        "reached by persona.cases, such as persona.cases.search(...)",
        "get post put patch delete": 'write persona.cases.get(case_id), or persona.request("GET", path) elsewhere',
        "case": "write persona.cases",
        "templates template": "write persona.case_templates",
        "accounts inquiries reports transactions verifications webhooks": "this library is about cases: write "
        'persona.request("GET", path)',
        "aclose shutdown stop disconnect": "write await persona.close()",
        "open start connect": "write async with PersonaClient() as persona",
        "limits rate_limit usage": "write await persona.rate_limits(), or persona.limiter.state",
        "set_timeout configure options copy replace": "write persona.with_options(timeout=...)",
    },
    arguments={
        "max_retries retries retry_count attempts": "write retry=RetryPolicy(attempts=...)",
        "key token access_token bearer_token auth apikey": "write api_key=",
        "url host server endpoint api_url": "write base_url=",
        "environment sandbox env": "the API key decides about the environment: write api_key=",
        "api_version persona_version": "write version=",
        "default_headers extra_headers": "write headers=",
        "http_client client client_session connector": "write session=, a ClientSession of aiohttp",
        "verify ca_file ssl_context cert verify_ssl": "write ssl=, an SSLContext or the path of a CA file",
        "proxies": "write proxy=",
        "hooks event_hooks interceptors": "write middleware=[...]",
        "rate_limit rate_limiter max_rate": "write limiter=LocalLimiter(...)",
        "pool_size max_concurrency concurrency": "write max_connections=",
        "drain.seconds": "write timeout=",
        "request.query": "write params=",
        "request.data request.body": "write json=",
        "request.timeout": "a client holds it, so write persona.with_options(timeout=...)",
        "request.headers": "a client holds them, so write persona.with_options(headers=...)",
        **dict.fromkeys(
            (f"with_options.{name}" for name in ("api_key", "base_url", "limiter", "session", "middleware", "proxy")),
            "a copy shares it with the client: make another PersonaClient",
        ),
    },
    calls={"__init__": "takes all but the key by name: write PersonaClient(api_key, base_url=...)"},
    uses={
        "__enter__": "is asynchronous: write async with PersonaClient() as persona",
        "__exit__": "is asynchronous: write async with PersonaClient() as persona",
    },
)

MANY_CASES = Lessons(
    names={
        "errors failures": "write failed, the errors by their ids",
        "not_found": "write missing, the ids of which there is no case",
        "items results data found": "write cases, or iterate over it",
        "collect to_list": "write list(many)",
        "get by_id": "write {case.id: case for case in many}",
    },
    uses={"__aiter__": "is here as a whole: write for case in many, without async"},
)

_LOOP = "has no end: write async for case in persona.cases.watch()"
WATCH = Lessons(
    names={
        "stop close aclose cancel": "leave the loop: it holds nothing between two steps",
        "collect first to_list all pages": f"it {_LOOP}",
    },
    uses={"__getitem__": _LOOP},
)
