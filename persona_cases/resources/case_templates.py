"""`persona.case_templates`: the templates that cases are created from."""

from __future__ import annotations

from functools import partial

from persona_cases.models import CaseTemplate
from persona_cases.models.decoding.decode import decode_resource
from persona_cases.protocol.addresses.urls import segment
from persona_cases.protocol.message import Request
from persona_cases.resources.client_lessons import CASE_TEMPLATES
from persona_cases.resources.endpoint import Api
from persona_cases.teaching import taught


@taught(CASE_TEMPLATES)
class CaseTemplates:
    """The case templates of an environment. The API cannot list them: their ids are in the dashboard and in cases.

    Args:
        api: how to reach them.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def __repr__(self) -> str:
        return f"<CaseTemplates of {self._api.base.url}>"

    async def get(self, id: str) -> CaseTemplate:
        """Retrieve a case template, with the schemas of its custom fields.

        Args:
            id: the id of the template.

        Returns:
            The template.

        Raises:
            InvalidArgumentError: if the id is invalid.
            NotFoundError: if there is no such template.
            APIError: if the API responded with another error status.
            TransportError: if no complete response arrived.

        See https://docs.withpersona.com/api-reference/case-templates.
        """
        request = Request("GET", f"/case-templates/{segment(id, 'id')}")
        return await self._api.load(request, partial(decode_resource, cls=CaseTemplate))
